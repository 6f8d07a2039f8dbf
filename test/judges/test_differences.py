"""This client behaves like the client that openapi-generator makes, apart from a list of differences.

Hypothesis makes the bodies, responses and parameters. `TestDifferences` lists the differences.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Callable, NamedTuple
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.models.model import Attribute, Model
from support.recording_server import RecordingServer, http_response

MANY = settings(max_examples=300, deadline=None)
FEW = settings(max_examples=50, deadline=None)
MODELS = {
    name: value for name, value in vars(bluejeans).items() if isinstance(value, type) and issubclass(value, Model)
}


class ModelValues(NamedTuple):
    """The class name and the attributes of a model, for the instance that either package makes of them."""

    model: str
    fields: dict[str, Any]

    def build(self, package: Any) -> Any:
        return getattr(package, self.model)(**{name: build(package, value) for name, value in self.fields.items()})


def build(package: Any, value: Any) -> Any:
    if isinstance(value, list):
        return [build(package, item) for item in value]
    return value.build(package) if isinstance(value, ModelValues) else value


def values(type_: str) -> st.SearchStrategy[Any]:
    """Return a strategy for values of a type, which is written as in the 2019 SDK."""
    if type_.startswith("list["):
        return st.lists(values(type_[len("list[") : -1]), max_size=3)
    return SCALARS[type_] if type_ in SCALARS else models(type_)


def models(name: str) -> st.SearchStrategy[ModelValues]:
    return st.fixed_dictionaries({a.name: attribute_values(a) for a in MODELS[name].attributes}).map(
        lambda f: ModelValues(name, f)
    )


def attribute_values(a: Attribute) -> st.SearchStrategy[Any]:
    """Return a strategy for the values of an attribute that both clients accept."""
    if a.allowed:
        return st.sampled_from(a.allowed)
    return st.text(min_size=1) if a.promised else values(a.type)


TEXT = st.text(max_size=20)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON = st.recursive(PLAIN, lambda part: st.lists(part) | st.dictionaries(TEXT, part), max_leaves=10)
DATES = st.dates() | st.datetimes() | st.datetimes(timezones=st.timezones())
SENDABLE = st.recursive(
    PLAIN | st.binary() | DATES,
    lambda part: st.lists(part) | st.lists(part).map(tuple) | st.dictionaries(TEXT, part),
    max_leaves=10,
)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXT,
    "int": st.integers(),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "object": JSON,
    "date": st.dates(),
    # Use offsets in whole minutes: RFC 3339 cannot express the seconds in the offsets of a century ago.
    "datetime": st.datetimes(timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m)))),
}
# The generated GrantRequestMeeting has another constructor: a class for each field that may be a number.
ALL_MODELS = st.sampled_from(sorted(MODELS.keys() - {"GrantRequestMeeting"})).flatmap(models)


def deserialized(client: Any, content: Any, type_: str) -> Any:
    """Deserialize JSON with either client into a type, which is written as in the 2019 SDK."""
    if isinstance(client, bluejeans.ApiClient):
        return client.deserialize(SimpleNamespace(data=json.dumps(content)), type_)
    named = type_.replace("list[", "List[").replace("dict(str, ", "Dict[str, ").replace(")", "]")
    return client.deserialize(json.dumps(content), named, "application/json")


@pytest.fixture(scope="module")
def theirs(generated: Any) -> Any:
    return generated.ApiClient()


@pytest.fixture(scope="module")
def ours() -> Iterator[bluejeans.ApiClient]:
    with bluejeans.ApiClient() as client:
        yield client


class TestSanitizeForSerialization:
    @given(SENDABLE)
    @MANY
    def test_both_clients_serialize_json_values_and_dates_alike(self, ours: Any, theirs: Any, value: Any) -> None:
        assert ours.sanitize_for_serialization(value) == theirs.sanitize_for_serialization(value)

    @given(ALL_MODELS)
    @MANY
    def test_both_clients_serialize_models_alike(
        self, ours: Any, theirs: Any, generated: Any, made: ModelValues
    ) -> None:
        sent = ours.sanitize_for_serialization(made.build(bluejeans))
        assert sent == theirs.sanitize_for_serialization(made.build(generated))


SHAPES = {
    "{}": lambda one: one,
    "list[{}]": st.lists,
    "dict(str, {})": lambda one: st.dictionaries(TEXT, one),
    "list[list[{}]]": lambda one: st.lists(st.lists(one)),
}


class TestDeserialize:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("scalar", SCALARS)
    @given(st.data())
    @FEW
    def test_both_clients_deserialize_scalars_and_collections_alike(
        self, ours: Any, theirs: Any, scalar: str, shape: str, data: Any
    ) -> None:
        in_json = SCALARS[scalar].map(lambda value: value.isoformat() if isinstance(value, date) else value)
        content, type_ = data.draw(SHAPES[shape](in_json)), shape.format(scalar)
        assert deserialized(ours, content, type_) == deserialized(theirs, content, type_)

    @given(ALL_MODELS)
    @MANY
    def test_both_clients_deserialize_models_alike(
        self, ours: Any, theirs: Any, generated: Any, made: ModelValues
    ) -> None:
        content = theirs.sanitize_for_serialization(made.build(generated))
        assert deserialized(ours, content, made.model) == made.build(bluejeans)
        assert deserialized(theirs, content, made.model) == made.build(generated)


SCALAR = TEXT | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
PARAMETERS = st.fixed_dictionaries(
    {}, optional={"one": SCALAR, "one more": SCALAR, "many": st.lists(SCALAR), "m&": st.lists(SCALAR)}
)
FORMATS = st.fixed_dictionaries(dict.fromkeys(("many", "m&"), st.sampled_from(["csv", "ssv", "tsv", "pipes", "multi"])))


class TestParameters:
    @given(PARAMETERS, FORMATS)
    @MANY
    def test_both_clients_convert_parameters_to_the_same_tuples(
        self, ours: Any, theirs: Any, parameters: Any, formats: Any
    ) -> None:
        assert ours.parameters_to_tuples(parameters, formats) == theirs.parameters_to_tuples(parameters, formats)

    @given(PARAMETERS, FORMATS)
    @MANY
    def test_both_clients_encode_the_same_query(
        self, client: bluejeans.ApiClient, service: RecordingServer, theirs: Any, parameters: Any, formats: Any
    ) -> None:
        written = query(service, client, parameters, formats), theirs.parameters_to_url_query(parameters, formats)
        by_ours, by_theirs = (parse_qsl(text, keep_blank_values=True) for text in written)
        assert by_ours == by_theirs


@pytest.fixture(scope="module")
def service() -> Iterator[RecordingServer]:
    with RecordingServer([http_response({})]) as service:
        yield service


@pytest.fixture(scope="module")
def client(service: RecordingServer) -> Iterator[bluejeans.ApiClient]:
    configuration = bluejeans.Configuration()
    configuration.host = service.url
    with bluejeans.ApiClient(configuration) as client:
        yield client


def query(service: RecordingServer, client: bluejeans.ApiClient, parameters: Any, formats: Any = None) -> str:
    """Return the query that this client sends."""
    client.call_api("/", "GET", query_params=parameters, collection_formats=formats)
    return service.requests.pop().target.partition("?")[2]


REFUSED = "refused with an exception"


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception:
        return REFUSED


class TestDifferences:
    """In each case, this client behaves like the 2019 SDK or refuses an invalid value; its result comes first."""

    @pytest.mark.parametrize(
        ("value", "sent", "sent_by_theirs"),
        [
            (Decimal("1.5"), REFUSED, "1.5"),
            (UUID(int=5), REFUSED, "00000000-0000-0000-0000-000000000005"),
            (SimpleNamespace(a=1), REFUSED, {"a": 1}),
        ],
    )
    def test_difference_in_sanitize_for_serialization(
        self, ours: Any, theirs: Any, value: Any, sent: Any, sent_by_theirs: Any
    ) -> None:
        assert outcome(lambda: ours.sanitize_for_serialization(value)) == sent
        assert outcome(lambda: theirs.sanitize_for_serialization(value)) == sent_by_theirs

    @pytest.mark.parametrize(
        ("type_", "content", "read", "read_by_theirs"),
        [
            ("int", 5.7, REFUSED, 5),
            ("int", True, REFUSED, 1),
            ("int", [1], REFUSED, [1]),
            ("float", True, REFUSED, 1.0),
            ("str", [1], REFUSED, "[1]"),
            ("bool", "false", False, True),
            ("bool", "no", REFUSED, True),
            ("bool", 1, REFUSED, True),
            ("list[str]", "ab", REFUSED, ["a", "b"]),
            ("GrantClient", None, REFUSED, None),
            ("Partition", {"id": "2", "name": "z2"}, {"id": 2, "name": "z2"}, REFUSED),
            ("Partition", {"id": 2}, {"id": 2}, REFUSED),
            ("Partition", {"id": 2, "name": "", "x": 1}, {"id": 2, "name": "", "x": 1}, {"id": 2, "name": ""}),
        ],
    )
    def test_difference_in_deserialize(
        self, ours: Any, theirs: Any, type_: str, content: Any, read: Any, read_by_theirs: Any
    ) -> None:
        def sent_again(client: Any) -> Any:
            return outcome(lambda: client.sanitize_for_serialization(deserialized(client, content, type_)))

        assert (sent_again(ours), sent_again(theirs)) == (read, read_by_theirs)

    @pytest.mark.parametrize(
        ("value", "format_", "pairs", "pairs_of_theirs"),
        [
            (True, "", [("p", True)], [("p", "true")]),
            ([True], "csv", [("p", "True")], [("p", "true")]),
            ("ab", "csv", [("p", "ab")], [("p", "a,b")]),
            ("ab", "multi", [("p", "ab")], [("p", "a"), ("p", "b")]),
        ],
    )
    def test_difference_in_parameters_to_tuples(
        self, ours: Any, theirs: Any, value: Any, format_: str, pairs: Any, pairs_of_theirs: Any
    ) -> None:
        assert ours.parameters_to_tuples({"p": value}, {"p": format_} if format_ else {}) == pairs
        assert theirs.parameters_to_tuples({"p": value}, {"p": format_} if format_ else {}) == pairs_of_theirs

    @pytest.mark.parametrize(
        ("value", "written", "written_by_theirs"),
        [
            ("a b", "p=a+b", "p=a%20b"),
            ("a/b", "p=a%2Fb", "p=a/b"),
            (True, "p=True", "p=true"),
            (None, "", "p=None"),
            ({"a": 1}, "p=%7B%27a%27%3A+1%7D", "p=%7B%22a%22%3A%201%7D"),
        ],
    )
    def test_difference_in_query_encoding(
        self,
        client: bluejeans.ApiClient,
        service: RecordingServer,
        theirs: Any,
        value: Any,
        written: str,
        written_by_theirs: str,
    ) -> None:
        assert query(service, client, {"p": value}) == written
        assert theirs.parameters_to_url_query({"p": value}, {}) == written_by_theirs
