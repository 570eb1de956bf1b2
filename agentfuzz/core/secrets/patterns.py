"""What a secret looks like: names that say that their value is one, and forms of values.

Law: plain data. A pattern marks the secret itself by its group `secret`, or as a whole; a name
counts as a whole name only (or `page_token` would be one). Read by the finder.
"""

import re

# Names of query parameters.
QUERY = frozenset(
    (
        "key",
        "api_key",
        "apikey",
        "api-key",
        "token",
        "access_token",
        "refresh_token",
        "id_token",
        "secret",
        "client_secret",
        "password",
        "passwd",
        "auth",
        "sig",
        "signature",
        "x-amz-signature",
        "x-amz-credential",
        "x-amz-security-token",
        "x-goog-signature",
    )
)
# Names of fields and arguments, in lower case and with underscores.
FIELDS = frozenset(
    (
        "api_key",
        "apikey",
        "x_api_key",
        "password",
        "passwd",
        "passphrase",
        "client_secret",
        "access_token",
        "refresh_token",
        "id_token",
        "auth_token",
        "session_token",
        "bearer_token",
        "private_key",
        "secret_key",
        "secret_access_key",
        "aws_secret_access_key",
        "authorization",
        "account_key",
        "connection_string",
        "webhook_secret",
        "signing_secret",
        "subscription_key",
    )
)
# Names of environment variables whose values are secrets, and endings that say that they are not.
ENVIRONMENT = re.compile(
    r"(?i)(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PWD|PASS|PAT|CREDENTIALS?|AUTH|DSN)"
    r"(?:_|$|\d)"
)
NO_VALUE = re.compile(r"(?i)_(?:SOCK|FILE|PATH|DIR|ID|URL|NAME)$|^(?:OLD)?PWD$")

_START = r"(?<![A-Za-z0-9])"
_WORD = r"(?:(?<![A-Za-z0-9])|(?<=\\n))"  # also after a line's end that is spelled out
_NAMED = (
    r"(?:password|passwd|passphrase|pwd|secret|api[_-]?key|access[_-]?key|account[_-]?key|"
    r"client[_-]?secret|(?:access|auth|refresh|session)[_-]?token|secret[_-]?access[_-]?key)"
)

FORMS: tuple[tuple[str, "re.Pattern[str]"], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("a provider key (sk-)", _START + r"sk-[A-Za-z0-9_-]{16,}"),
        ("a Stripe key", _START + r"(?:[srp]k_(?:live|test)|whsec)_[A-Za-z0-9]{10,}"),
        (
            "a bearer token",
            r"(?i)\bbearer[\s:]+(?=[\w.~+/=-]*\d|[\w.~+/=-]{24})(?P<secret>[\w.~+/=-]{8,})",
        ),
        ("an AWS key", r"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])"),
        ("an AWS session token", r"(?<![A-Za-z0-9/+])(?:IQoJb3|FwoGZX)[A-Za-z0-9/+]{40,}={0,2}"),
        (
            "an AWS secret key",
            r"(?i)aws.{0,24}?(?:secret|key).{0,24}?[\s\"':=](?P<secret>[A-Za-z0-9/+]{40})"
            r"(?![A-Za-z0-9/+])",
        ),
        ("an Azure account key", r"(?i)AccountKey=(?P<secret>[A-Za-z0-9+/]{40,}={0,2})"),
        ("an Azure access signature", r"(?i)SharedAccessSignature[ =](?P<secret>[^\s;\"']{16,})"),
        ("an Azure key", r"(?<![A-Za-z0-9])[A-Za-z0-9]{52}JQQJ9[0-9A-Z][A-Za-z0-9]{26}"),
        ("an Azure client secret", r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])"),
        ("a GitHub token", _START + r"(?:gh[opusr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})"),
        ("a GitLab token", _START + r"gl(?:pat|dt|rt|ptt|cbt|oas)-[\w-]{16,}"),
        ("a Slack token", _START + r"(?:xox[a-z]|xapp)-[A-Za-z0-9-]{10,}"),
        ("a Slack webhook", r"hooks\.slack\.com/(?P<secret>(?:services|workflows)/[\w/]{16,})"),
        ("a Discord webhook", r"discord(?:app)?\.com/api/(?P<secret>webhooks/\d{6,}/[\w-]{20,})"),
        ("a Telegram token", r"(?<![\w])\d{8,10}:AA[\w-]{32,34}(?![\w-])"),
        ("a SendGrid key", _START + r"SG\.[\w-]{16,}\.[\w-]{16,}"),
        ("a Mailgun key", _START + r"key-[0-9a-f]{32}(?![0-9a-f])"),
        ("a Vault token", _START + r"(?:hv[sbr]\.[\w-]{20,}|s\.[A-Za-z0-9]{24}(?![A-Za-z0-9]))"),
        ("a Twilio key", _START + r"SK[0-9a-f]{32}(?![0-9a-f])"),
        ("a Shopify token", _START + r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}"),
        ("a DigitalOcean token", _START + r"do[opr]_v1_[a-f0-9]{64}"),
        ("a Square token", _START + r"sq0(?:atp|csp|idp)-[\w-]{20,}"),
        ("a Databricks token", _START + r"dapi[0-9a-f]{32}"),
        ("an Atlassian token", _START + r"ATATT3[\w=-]{20,}"),
        ("a Google key", _START + r"(?:AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,})"),
        (
            "a provider key",
            _START
            + r"(?:hf_|gsk_|xai-|pplx-|r8_|npm_|pypi-|lin_api_|figd_|ntn_|sntrys_|dop_|tvly-|"
            r"nvapi-|fw_|co_|rpa_)[A-Za-z0-9_-]{24,}",
        ),
        ("a JWT", r"(?<![\w-])eyJ[\w-]{6,}\.eyJ[\w-]{6,}\.[\w-]*"),
        (
            "a private key (PEM)",
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*(?:-----[\s\S]*?-----END [A-Z0-9 ]*PRIVATE "
            r"KEY[A-Z ]*-----|[\s\S]*)",
        ),
        ("a private key (age)", r"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
        ("a URL with a password", r"://[^\s/@:\"'<>]*:(?P<secret>[^\s/@\"'<>]+)@"),
        ("a URL with a token", r"://(?!git@)(?P<secret>[^\s/@:\"'<>?#]{8,})@"),
        (
            "a password in a text",
            rf"(?i){_WORD}{_NAMED}\\?[\"']?\s*=\s*\\?[\"']?(?P<secret>[^\s\"'&,;<>{{}}$*\\]{{6,}})",
        ),
        (
            "a password in a text",
            rf"(?i){_WORD}{_NAMED}\\?[\"']?\s*(?::|\bis\b)\s*\\?[\"']?"
            r"(?P<secret>(?=[^\s\"',;]*\d)[^\s\"'&,;<>{}$*\\]{6,})",
        ),
    )
)
