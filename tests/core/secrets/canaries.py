"""Canaries: made-up secrets of every form, put together here so that no search of this repository
takes them for real.

Law: `SECRETS` gives a text for each and the part of it that must not be kept; `INNOCENT` are texts
that look a little like secrets, and are none.
"""

import base64

A, D, H = (
    "Canary0Abcd1Efgh2Ijkl3Mnop4Qrst5Uvwx6Yz",
    "0123456789",
    "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
)
LONG = A + A + A
ENVIRONMENT = {
    "SHOP_DB_PASSWORD": "canary-environment-0000",
    "MY_SERVICE_TOKEN": "canary/token+of=service",
}
_WHOLE = {
    "openai": "sk-" + A[:24],
    "openai project": "sk-" + "proj-" + A,
    "anthropic": "sk-" + "ant-api03-" + A,
    "openrouter": "sk-" + "or-v1-" + H,
    "stripe live": "sk_live_" + A[:24],
    "stripe restricted": "rk_test_" + A[:24],
    "stripe webhook": "whsec_" + A[:32],
    "aws": "AKIA" + "CANARY0000111122",
    "aws temporary": "ASIA" + "CANARY0000111122",
    "aws session": "IQoJb3" + "JpZ2luX2Vj" + LONG,
    "azure": A[:26] + A[:26] + "JQQJ99" + A[:26],
    "azure client": "abc8" + "Q~" + A[:34],
    "github": "ghp_" + A[:36],
    "github fine": "github_pat_" + A,
    "github app": "ghs_" + A[:36],
    "gitlab": "glpat-" + A[:20],
    "gitlab deploy": "gldt-" + A[:20],
    "slack bot": "xoxb-" + "000011112222-canary333344445555",
    "slack user": "xoxp-" + "000011112222-canary333344445555",
    "slack app": "xapp-" + "1-A000-canary333344445555",
    "telegram": "123456789:" + "AA" + A[:33],
    "sendgrid": "SG." + A[:22] + "." + A[:39],
    "mailgun": "key-" + H,
    "vault": "hvs." + A[:28],
    "vault batch": "hvb." + A[:28],
    "vault old": "s." + A[:24],
    "twilio": "SK" + H,
    "shopify": "shpat_" + H,
    "shopify app": "shpss_" + H,
    "digitalocean": "dop_v1_" + H + H,
    "digitalocean refresh": "dor_v1_" + H + H,
    "square": "sq0atp-" + A[:22],
    "databricks": "dapi" + H,
    "atlassian": "ATATT3" + A,
    "google": "AIza" + A[:35],
    "google oauth": "ya29." + A,
    "google client": "GOCSPX-" + A[:28],
    "hugging face": "hf_" + A[:34],
    "groq": "gsk_" + A[:38],
    "xai": "xai-" + A,
    "replicate": "r8_" + A[:37],
    "npm": "npm_" + A[:36],
    "pypi": "pypi-" + A,
    "linear": "lin_api_" + A,
    "figma": "figd_" + A,
    "notion": "ntn_" + A,
    "nvidia": "nvapi-" + A,
    "jwt": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NSJ9." + A[:20],
    "age": "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54",
    "environment": ENVIRONMENT["SHOP_DB_PASSWORD"],
    "environment too": ENVIRONMENT["MY_SERVICE_TOKEN"],
}
SECRETS: dict[str, tuple[str, str]] = {
    name: (f"it is {one} now", one) for name, one in _WHOLE.items()
}
_HIDDEN = A[:20]
SECRETS |= {
    "bearer": (f"Authorization: Bearer {_HIDDEN}", _HIDDEN),
    "pem": (
        "-----BEGIN RSA PRIVATE " + f"KEY-----\n{A}\n{A}\n-----END RSA PRIVATE KEY-----",
        A,
    ),
    "pem cut off": ("-----BEGIN OPENSSH PRIVATE " + f"KEY-----\n{A}\n", A),
    "azure storage": (f"AccountName=a;AccountKey={LONG[:86]}==;Suffix=x", LONG[:86]),
    "aws secret": (f"aws_secret_access_key = {A[:40]:0<40}", A[:39]),
    "url": (f"postgres://bot:{_HIDDEN}@db.example.com/x", _HIDDEN),
    "url token": (f"https://{_HIDDEN}@git.example.com/x", _HIDDEN),
    "query": (f"https://api.example.com/v1?api_key={_HIDDEN}&a=1", _HIDDEN),
    "signed": (f"https://s3.example.com/x?X-Amz-Signature={H}", H),
    "slack webhook": ("https://hooks.slack.com/" + f"services/T000/B000/{_HIDDEN}", _HIDDEN),
    "discord webhook": ("https://discord.com/api/" + f"webhooks/1234567/{A}", A),
    "password": ("psql password=hunter22! host=db", "hunter22!"),
    "password said": ("The password is hunter22!", "hunter22!"),
    "password in yaml": ("user: bot\npassword: hunter22!", "hunter22!"),
    "password in json": ('{"user": "bot", "password": "hunter22!"}', "hunter22!"),
    "secret in env": ("CLIENT_SECRET=" + _HIDDEN, _HIDDEN),
    "basic": (
        "Authorization: Basic " + base64.b64encode(b"bot:canary0000").decode(),
        base64.b64encode(b"bot:canary0000").decode(),
    ),
}
_ENCODED = ("openai", "github", "environment", "jwt")
for _name in _ENCODED:
    _one = _WHOLE[_name].encode()
    for _how, _text in (
        ("base64", base64.b64encode(b"my key: " + _one).decode()),
        ("url-safe base64", base64.urlsafe_b64encode(_one + b"??>>").decode()),
        ("hex", _one.hex()),
    ):
        SECRETS[f"{_name} in {_how}"] = (f"it is {_text} now", _text)

INNOCENT = (
    "page_token=abcdefgh and next_page_token: xyz12345",
    "task-1234567890abcdefgh, risk-0123456789abcdef0123",
    "password: required, at least 8 characters",
    "the secret of success is patience",
    "sha256 " + H + H,
    "AF-0123456789ab charge_card#1:once/timeout",
    "call_0123456789abcdefghijklmn toolu_0123456789abcdefghijklmn chatcmpl-0123456789abcdef",
    "idempotency_key='charge-A17' key='run-1:charge_card:A17'",
    "550e8400-e29b-41d4-a716-446655440000",
    "https://example.com/a/b?page=2&order_id=A17",
    "mail bob@example.com, or git@github.com:a/b.git",
    "Basic usage of a bearer bond",
    "tokens: 1200, max_tokens=4096",
)
