"""A file that is no good cassette is refused with its name, its line and a cure, in no time."""

import gzip
import time

import pytest
import yaml

from agentfuzz.core.errors import SavedFileError
from agentfuzz.model.cassettes import Cassette
from agentfuzz.model.cassettes.document import read

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = "interactions:\n- request: !!python/object/apply:os.system ['touch owned']\nversion: 1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: is empty"),
        (HOSTILE, ":2: is refused: could not determine a constructor for the tag"),
        ("interactions:\n- !!python/name:os.system x\nversion: 1\n", ":2: is refused"),
        (BOMB, r":\d: stands for more than 200,000 values"),
        ("[" * 100_000, ":1: is nested deeper than 50"),
        ("interactions:\n- [1,\n", r":\d: is no YAML"),
        ("interactions: []\nversion: 2\n", r":2: has format version 2; .* update agentfuzz"),
        ("interactions: []\nversion: new\n", ":2: has format version no number"),
        ("interactions: []\n", ":2: is cut off: its last line, the version, is missing"),
        ("interactions: []\nversion: 1\n", ":1: holds no turn of a model"),
        ("interactions: 3\nversion: 1\n", ":1: interactions is no list"),
        ("interactions:\n- 3\nversion: 1\n", ":2: interaction 1 has no request"),
        ('{"name": "shop", "dependencies": {}}', ":1: is no cassette"),
        ("- request: {}\n  response: {}\n", ":1: is a cassette of an old vcrpy"),
        ("a: 1\n\0", ":2: is no YAML"),
        ("a: [x\n---\nb: 1\n", r":\d: is no YAML"),
    ],
)
def test_broken_files(text, said, tmp_path):
    """Each kind of damage has its own words, its line, and what to do."""
    path = tmp_path / "tape.yaml"
    path.write_text(text)
    started = time.process_time()
    with pytest.raises(SavedFileError, match=rf"tape\.yaml{said}") as error:
        Cassette.load(path)
    assert time.process_time() - started < 2
    assert not list(tmp_path.glob("owned"))
    assert any(word in str(error.value) for word in ("record", "Record"))
    assert error.value.__cause__ is None


def test_no_file_at_all(tmp_path):
    """A missing file, a folder, a file too large, bytes that are no text."""
    with pytest.raises(SavedFileError, match=r"none\.yaml: there is no such cassette\. Record it"):
        Cassette.load(tmp_path / "none.yaml")
    with pytest.raises(SavedFileError, match="is no file"):
        Cassette.load(tmp_path)
    large = tmp_path / "large.yaml"
    with large.open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(SavedFileError, match="larger than 16 MB"):
        Cassette.load(large)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(SavedFileError, match=r"latin\.yaml:2: is no UTF-8"):
        Cassette.load(latin)


@pytest.mark.parametrize("stream", [False, True])
def test_a_cassette_cut_anywhere_is_refused(tape, stream, tmp_path):
    """Whatever is missing at the end, no shorter conversation is taken for the whole."""
    content = tape("anthropic", stream).read_bytes()
    path = tmp_path / "cut.yaml"
    step = max(1, len(content) // 60)
    for end in range(0, len(content.rstrip()), step):
        path.write_bytes(content[:end])
        with pytest.raises(SavedFileError, match=r"cut\.yaml:\d+: "):
            Cassette.load(path)


def edited(tape, tmp_path, change, protocol="chat", stream=False):
    """The cassette with its data changed."""
    data = yaml.safe_load(tape(protocol, stream).read_text())
    change(data["interactions"])
    path = tmp_path / "edited.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


@pytest.mark.parametrize(
    ("part", "body", "said"),
    [
        ("request", "{", "interaction 2, request: the body is no JSON"),
        ("request", "[]", "interaction 2, request: the body is no JSON object"),
        ("request", '{"model": "m"}', "interaction 2, request: messages: is required"),
        ("response", "<html>", "interaction 2, response: the body is no JSON"),
        ("response", "{}", "interaction 2, response: the body is no reply of /v1/chat"),
    ],
)
def test_broken_bodies(part, body, said, tape, tmp_path):
    """A body that cannot be read is named by its interaction and line."""

    def change(interactions):
        one = interactions[1][part]
        one["body"] = {"string": body} if part == "response" else body

    with pytest.raises(SavedFileError, match=rf"edited.yaml:\d\d+: {said}"):
        Cassette.load(edited(tape, tmp_path, change))


@pytest.mark.parametrize(
    ("protocol", "end"),
    [("chat", "finish_reason"), ("responses", "response.completed"), ("anthropic", "message_stop")],
)
def test_a_stream_without_its_end(protocol, end, tape, tmp_path):
    """Half a stream is no turn."""

    def change(interactions):
        body = interactions[0]["response"]["body"]
        body["string"] = body["string"][: len(body["string"]) // 2]

    with pytest.raises(SavedFileError, match=f"breaks off before its end .no {end}"):
        Cassette.load(edited(tape, tmp_path, change, protocol, True))


def test_compressed_bodies_of_foreign_cassettes(tape, tmp_path):
    """Plain vcrpy keeps gzip as it came: read; anything else is refused; a bomb is not opened."""

    def packed(coding, pack):
        def change(interactions):
            one = interactions[0]["response"]
            one["headers"]["Content-Encoding"] = [coding]
            one["body"]["string"] = pack(one["body"]["string"].encode())

        return change

    good = Cassette.load(edited(tape, tmp_path, packed("gzip", gzip.compress)))
    assert good.recordings[0].turn["content"] == "Let me charge that."
    with pytest.raises(SavedFileError, match="compressed in a way that is not read"):
        Cassette.load(edited(tape, tmp_path, packed("br", lambda body: b"\x8b" + body)))
    bomb = packed("gzip", lambda body: gzip.compress(b"0" * 40_000_000))
    with pytest.raises(SavedFileError, match="larger than 16 MB"):
        Cassette.load(edited(tape, tmp_path, bomb))


def test_other_requests_of_the_conversation_are_passed_over(tape, tmp_path):
    """What is no request to a model (a tool's own HTTP) is not looked at; aliases are read."""

    def change(interactions):
        shared = {"content-type": ["text/html"]}
        request = {"method": "GET", "uri": "http://x/y", "headers": shared, "body": None}
        response = {"status": {"code": 200}, "headers": shared, "body": {"string": "<p>"}}
        interactions.insert(0, {"request": request, "response": response})

    path = edited(tape, tmp_path, change)
    assert "&id001" in path.read_text()
    assert [one.number for one in Cassette.load(path).recordings] == [2, 3, 4]
    assert read(path).line(1, "request") > read(path).line(0, "request")
