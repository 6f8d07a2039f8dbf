"""Models: what the 2019 SDK's users rely on, and what ours add."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import sys
import traceback
from datetime import date
from pprint import pformat
from types import ModuleType
from typing import Any

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi import models
from BlueJeansMeetingsRestApi.models.model import Attribute, Model, attribute

MODELS: list[Any] = [
    cls for cls in vars(models).values() if isinstance(cls, type) and issubclass(cls, Model) and cls is not Model
]
ATTRIBUTES = [pytest.param(cls, a, id=f"{cls.__name__}.{a.name}") for cls in MODELS for a in cls.attributes]
SECRETS = [pytest.param(cls, a, id=f"{cls.__name__}.{a.name}") for cls in MODELS for a in cls.attributes if a.secret]

# As the reference of the 2019 SDK has them: the attributes in their order, with the JSON key where it differs.
DECLARED = {
    "GrantRequestClient": "grant_type client_id client_secret",
    "GrantRequestCode": "grant_type client_id client_secret redirect_uri[redirectUri] code",
    "GrantRequestMeeting": "grant_type meeting_numeric_id[meetingNumericId] meeting_passcode[meetingPasscode]",
    "GrantRequestPassword": "grant_type username password",
    "GrantRequestRefresh": "grant_type client_id client_secret refresh_token",
    "GrantRequestRevoke": "client_id client_secret",
    "GrantClient": "access_token expires_in scope",
    "GrantClientScope": "enterprise partition_name[partitionName] partition",
    "GrantCode": "access_token refresh_token expires_in scope",
    "GrantCodeScope": "user app_permissions[appPermissions] partition_name[partitionName] partition "
    "bearer_permissions[bearerPermissions] client_id[clientId]",
    "GrantCodeScopeAppPermissions": "method allowed_regex[allowedRegex]",
    "GrantMeeting": "access_token expires_in scope",
    "GrantMeetingScope": "meeting partition_name[partitionName] partition",
    "GrantMeetingScopeMeeting": "id leader_id[leaderId] meeting_numeric_id[meetingNumericId] meeting_uri[meetingUri] "
    "is_moderator[isModerator] endpoint_uri_set[endpointUriSet] meeting_id[meetingId]",
    "GrantPassword": "access_token expires_in refresh_token scope",
    "GrantPasswordScope": "user partition_name[partitionName] partition",
    "GrantRefresh": "access_token refresh_token expires_in scope",
    "GrantRefreshScope": "user app_permissions[appPermissions] partition_name[partitionName] partition "
    "bearer_permissions[bearerPermissions]",
    "Partition": "id name",
    "InlineResponse200": "user",
    "Error": "message code",
}


# A module of a user, with each way of writing a type that all versions of Python know.
OWN_MODELS = """
import datetime, typing
from typing import Any, Dict, List, Optional, Union
import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.models.model import Model, attribute

class Room(Model):
    name: str = attribute(default=None, doc="x")
    number: Optional[int] = attribute(default=None, doc="x")
    pin: "str | None" = attribute(default=None, secret=True, doc="x")
    either: Union[None, int, str] = attribute(default=None, doc="x")
    code: Optional[Dict[str, str]] = attribute(default=None, key="code", secret=True, doc="x")
    door: typing.Optional[str] = attribute(default=None, key="doorCode", secret=True, doc="x")
    partition: Optional[bluejeans.Partition] = attribute(default=None, doc="x")
    partitions: typing.List[bluejeans.Partition] = attribute(default=None, doc="x")
    rooms: Optional[List["Room"]] = attribute(default=None, doc="x")
    next: Optional["Room"] = attribute(default=None, doc="x")
    elsewhere: "Optional[List[nowhere.Building]]" = attribute(default=None, doc="x")
    nested: list[Optional[Dict[str, "list[int]"]]] = attribute(default=None, doc="x")
    day: Optional[datetime.date] = attribute(default=None, doc="x")
    anything: Any = attribute(default=None, doc="x")
    things: List[Any] = attribute(default=None, doc="x")
    as_in_2019: "dict(str, int)" = attribute(default=None, doc="x")

class Silent(Room):
    other: int = 0

class Desk(Silent):
    label: Optional[str] = attribute(default=None, doc="x")
"""
OWN_TYPES = {
    "name": "str",
    "number": "int",
    "pin": "str",
    "either": "int",
    "code": "dict(str, str)",
    "door": "str",
    "partition": "Partition",
    "partitions": "list[Partition]",
    "rooms": "list[Room]",
    "next": "Room",
    "elsewhere": "list[Building]",
    "nested": "list[dict(str, list[int])]",
    "day": "date",
    "anything": "object",
    "things": "list[object]",
    "as_in_2019": "dict(str, int)",
}


def required(cls: Any) -> dict[str, str]:
    return {a.name: "needed" for a in cls.attributes if a.required and a.default is None}


@pytest.mark.parametrize("name", DECLARED)
def test_attributes_have_the_order_and_json_keys_of_the_reference(name: str) -> None:
    words = [f"{n}[{key}]" if n != key else n for n, key in getattr(bluejeans, name).attribute_map.items()]
    assert " ".join(words) == DECLARED[name]


def test_swagger_types_are_the_names_of_the_2019_sdk() -> None:
    assert bluejeans.GrantCodeScope.swagger_types == {
        "user": "int",
        "app_permissions": "list[GrantCodeScopeAppPermissions]",
        "partition_name": "str",
        "partition": "Partition",
        "bearer_permissions": "str",
        "client_id": "str",
    }


@pytest.mark.parametrize(("cls", "a"), ATTRIBUTES)
def test_an_attribute_is_set_by_the_constructor_by_name(cls: Any, a: Attribute) -> None:
    value = a.allowed[0] if a.allowed else object()
    assert getattr(cls(**{**required(cls), a.name: value}), a.name) is value


@pytest.mark.parametrize("cls", MODELS)
def test_the_constructor_takes_the_attributes_by_position(cls: Any) -> None:
    values = [a.allowed[0] if a.allowed else f"value of {a.name}" for a in cls.attributes]
    assert list(cls(*values).to_dict().values()) == values


@pytest.mark.parametrize(("cls", "a"), ATTRIBUTES)
def test_omitted_attribute_has_its_default(cls: Any, a: Attribute) -> None:
    left_out = {name: value for name, value in required(cls).items() if name != a.name}
    if a.required and a.default is None:
        with pytest.raises(ValueError, match=f"^Invalid value for `{a.name}`, must not be `None`$"):
            cls(**left_out)
    else:
        assert getattr(cls(**left_out), a.name) == a.default


@pytest.mark.parametrize("cls", MODELS)
def test_unknown_argument_is_named_in_the_type_error(cls: Any) -> None:
    with pytest.raises(TypeError, match="'colour'"):
        cls(colour="blue")


class TestRules:
    @pytest.mark.parametrize(
        ("cls", "grant_type"),
        [
            (bluejeans.GrantRequestClient, "client_credentials"),
            (bluejeans.GrantRequestCode, "authorization_code"),
            (bluejeans.GrantRequestMeeting, "meeting_passcode"),
            (bluejeans.GrantRequestPassword, "password"),
            (bluejeans.GrantRequestRefresh, "refresh_token"),
        ],
    )
    def test_grant_type_accepts_only_its_value(self, cls: Any, grant_type: str) -> None:
        with pytest.raises(ValueError, match="grant_type") as caught:
            cls(**{**required(cls), "grant_type": "x"})
        assert str(caught.value) == f"Invalid value for `grant_type` (x), must be one of ['{grant_type}']"

    def test_none_in_the_constructor_skips_the_rule_of_allowed_values(self) -> None:
        assert bluejeans.GrantRequestClient(grant_type=None).grant_type is None

    def test_assigned_none_is_rejected_by_allowed_values(self) -> None:
        request = bluejeans.GrantRequestClient()
        with pytest.raises(ValueError, match="None"):
            request.grant_type = None

    def test_a_required_attribute_cannot_become_none(self) -> None:
        request = bluejeans.GrantRequestRevoke("id", "secret")
        with pytest.raises(ValueError, match="^Invalid value for `client_id`, must not be `None`$"):
            request.client_id = None
        assert request.client_id == "id"

    def test_the_meetings_grant_type_cannot_be_none(self) -> None:
        with pytest.raises(ValueError, match="^Invalid value for `grant_type`, must not be `None`$"):
            bluejeans.GrantRequestMeeting(grant_type=None, meeting_numeric_id="1")

    def test_meeting_request_may_omit_the_passcode(self) -> None:
        assert bluejeans.GrantRequestMeeting(meeting_numeric_id="1").meeting_passcode is None

    def test_rejected_secret_is_not_quoted(self) -> None:
        rule = Attribute("pin", "str", "pin", None, False, ("0000",), True, False, "")
        with pytest.raises(ValueError, match=r"\(\*\*\*\)"):
            rule.check("canary")


class TestSecrets:
    @pytest.mark.parametrize(("cls", "a"), SECRETS)
    @pytest.mark.parametrize(
        "shown", [repr, str, "{}".format, "%s".__mod__, pformat, lambda m: m.to_str(), lambda m: repr([{"a": m}])]
    )
    def test_secret_is_masked_in_text(self, cls: Any, a: Attribute, shown: Any) -> None:
        text = shown(cls(**{**required(cls), a.name: "canary"}))
        assert "canary" not in text
        assert "***" in text

    @pytest.mark.parametrize(("cls", "a"), SECRETS)
    def test_traceback_of_a_constructor_contains_no_secret(self, cls: Any, a: Attribute) -> None:
        def fails(model: Any) -> None:
            raise RuntimeError

        try:
            fails(cls(**{**required(cls), a.name: "canary"}))
        except RuntimeError as error:
            shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        inner = shown.stack[-1]
        assert "canary" not in str(inner.locals)

    @pytest.mark.parametrize(("cls", "a"), SECRETS)
    def test_to_dict_and_the_attribute_contain_the_secret(self, cls: Any, a: Attribute) -> None:
        model = cls(**{**required(cls), a.name: "canary"})
        assert getattr(model, a.name) == model.to_dict()[a.name] == "canary"

    def test_secret_in_a_nested_model_is_masked(self) -> None:
        assert "canary" not in repr(bluejeans.GrantClient(scope=bluejeans.GrantPassword(access_token="canary")))

    def test_secret_in_a_list_of_models_is_masked(self) -> None:
        assert "canary" not in repr(bluejeans.GrantClient(scope=[bluejeans.GrantPassword(access_token="canary")]))

    def test_secret_in_a_dictionary_instead_of_a_model_is_masked(self) -> None:
        assert "canary" not in repr(bluejeans.GrantClient(scope={"x": [{"accessToken": 1, "access_token": "canary"}]}))

    def test_undeclared_field_is_not_in_the_repr(self) -> None:
        grant = bluejeans.GrantClient()
        grant.additional_properties["id_token"] = "canary"
        assert "canary" not in repr(grant)

    def test_empty_secret_is_not_masked(self) -> None:
        assert repr(bluejeans.GrantPassword(refresh_token="")) == (
            "{'access_token': None, 'expires_in': None, 'refresh_token': '', 'scope': None}"
        )


class TestDictionaries:
    def test_nested_models_become_dictionaries(self) -> None:
        grant = bluejeans.GrantCodeScope(
            partition=bluejeans.Partition(2, "z2"), app_permissions=[bluejeans.GrantCodeScopeAppPermissions("GET", "/")]
        )
        assert grant.to_dict()["partition"] == {"id": 2, "name": "z2"}
        assert grant.to_dict()["app_permissions"] == [{"method": "GET", "allowed_regex": "/"}]

    def test_models_in_a_dictionary_become_dictionaries(self) -> None:
        assert bluejeans.GrantClient(scope={"a": bluejeans.Partition(2)}).to_dict()["scope"] == {
            "a": {"id": 2, "name": None}
        }


class TestEquality:
    def test_models_with_equal_values_are_equal(self) -> None:
        assert bluejeans.Partition(2, "z2") == bluejeans.Partition(id=2, name="z2")

    def test_models_with_different_values_are_not_equal(self) -> None:
        assert bluejeans.Partition(2, "z2") != bluejeans.Partition(3, "z2")

    def test_models_of_different_classes_are_not_equal(self) -> None:
        assert bluejeans.GrantClient() != bluejeans.GrantMeeting()
        assert bluejeans.Partition() != {}

    def test_undeclared_fields_are_compared(self) -> None:
        grant = bluejeans.GrantClient()
        grant.additional_properties["capabilities"] = []
        assert grant != bluejeans.GrantClient()

    def test_models_cannot_be_hashed(self) -> None:
        with pytest.raises(TypeError):
            hash(bluejeans.Partition())


class TestCopies:
    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
    @pytest.mark.parametrize("cls", MODELS)
    def test_a_copy_is_equal(self, cls: Any, copied: Any) -> None:
        model = cls(**required(cls))
        model.additional_properties["more"] = {"x": 1}
        assert copied(model) == model

    def test_pickle_of_the_2019_sdk_is_loaded(self) -> None:
        partition = bluejeans.Partition.__new__(bluejeans.Partition)
        partition.__setstate__({"_id": 2, "_name": "z2", "discriminator": None})
        assert partition == bluejeans.Partition(2, "z2")


class TestDeclarations:
    def test_user_model_declares_each_attribute_in_one_line(self) -> None:
        class Room(Model):
            """A room."""

            name: str | None = attribute(default=None, key="roomName", doc="What it is called.")
            pin: str | None = attribute(default=None, secret=True, doc="What opens it.")

        assert Room("a", pin="b").to_dict() == {"name": "a", "pin": "b"}
        assert repr(Room("a", pin="b")) == "{'name': 'a', 'pin': '***'}"
        assert Room.attribute_map == {"name": "roomName", "pin": "pin"}

    def test_a_model_can_be_extended(self) -> None:
        class More(bluejeans.Partition):
            colour: str | None = attribute(default=None, doc="Its colour.")

        assert More(1, "z1", "blue").to_dict() == {"id": 1, "name": "z1", "colour": "blue"}

    @pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"], ids=["evaluated", "postponed"])
    def test_own_model_works_with_and_without_postponed_annotations(
        self, future: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own = ModuleType(f"own_models_{'postponed' if future else 'evaluated'}")
        monkeypatch.setitem(sys.modules, own.__name__, own)
        exec(compile(future + OWN_MODELS, "own_models.py", "exec", dont_inherit=True), own.__dict__)
        assert own.Desk.swagger_types == {**OWN_TYPES, "label": "str"}
        assert list(own.Room.swagger_types) == list(own.Room.attribute_map) == list(OWN_TYPES)

        fields = {"pin": "canary", "code": {"a": "canary"}, "rooms": [{"pin": "canary"}], "day": "2020-01-02"}
        desk = bluejeans.ApiClient().deserialize(urllib3.HTTPResponse(json.dumps(fields).encode()), own.Desk)
        assert desk.rooms == [own.Room(pin="canary")]
        assert desk.day == date(2020, 1, 2)
        assert desk.to_dict()["rooms"] == [{**dict.fromkeys(OWN_TYPES), "pin": "canary"}]
        assert "canary" not in repr(desk)
        assert "canary" not in str(desk.rooms)

    @pytest.mark.skipif(sys.version_info < (3, 10), reason="`int | None` needs Python 3.10")
    @pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"], ids=["evaluated", "postponed"])
    def test_union_operator_in_an_annotation_declares_the_type(self, future: str) -> None:
        namespace: dict[str, Any] = {"__name__": __name__}
        source = (
            f"{future}from BlueJeansMeetingsRestApi.models.model import Model, attribute\n"
            "class Own(Model):\n"
            "    a: int | None = attribute(doc='a')\n"
            "    b: None | list[int | None] = attribute(doc='b')\n"
            "    c: list['Own'] | None = attribute(doc='c')\n"
        )
        exec(compile(source, "own.py", "exec", dont_inherit=True), namespace)
        assert namespace["Own"].swagger_types == {"a": "int", "b": "list[int]", "c": "list[Own]"}

    def test_help_names_the_type_of_a_dictionary_in_python(self) -> None:
        class Own(Model):
            counts: dict[str, int] | None = attribute(default=None, doc="Counts by name.")

        assert Own.swagger_types == {"counts": "dict(str, int)"}
        assert str(inspect.signature(Own)) == "(counts: 'dict[str, int] | None' = None)"

    def test_undeclared_attribute_may_be_set(self) -> None:
        partition: Any = bluejeans.Partition()
        partition.note = "mine"
        assert partition.note == "mine"
        assert "note" not in partition.to_dict()

    def test_no_model_has_a_discriminator(self) -> None:
        assert bluejeans.Partition().discriminator is None

    def test_signature_lists_the_attributes(self) -> None:
        assert str(inspect.signature(bluejeans.Partition)) == ("(id: 'int | None' = None, name: 'str | None' = None)")


class TestGeneratedValues:
    """Properties, with texts that hypothesis makes up."""

    @given(st.data())
    def test_model_survives_a_round_trip_through_json(self, data: st.DataObject) -> None:
        cls = data.draw(st.sampled_from(MODELS))
        model = data.draw(models_of(cls))
        client = bluejeans.ApiClient()
        content = json.dumps(client.sanitize_for_serialization(model)).encode()
        assert client.deserialize(urllib3.HTTPResponse(content), cls) == model

    @given(st.data())
    def test_generated_secrets_are_never_in_text(self, data: st.DataObject) -> None:
        secrets = st.text("0123456789", min_size=12).map("canary{}".format)
        model = data.draw(models_of(data.draw(st.sampled_from(MODELS)), secrets))
        assert "canary" not in f"{model}{model!r}{model.to_str()}"


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def models_of(cls: type[Model], secrets: st.SearchStrategy[str] = TEXTS) -> st.SearchStrategy[Model]:
    """Models of a class with any values of the declared types, and `secrets` for those that are secret."""
    plain: dict[str, st.SearchStrategy[Any]] = {
        "str": TEXTS,
        "int": st.integers(),
        "bool": st.booleans(),
        "object": TEXTS,
    }

    def values(a: Attribute) -> st.SearchStrategy[Any]:
        if a.allowed:
            return st.sampled_from(a.allowed)
        return secrets if a.secret else of_type(a.type)

    def of_type(name: str) -> st.SearchStrategy[Any]:
        if name.startswith("list["):
            return st.lists(of_type(name[len("list[") : -1]), max_size=3)
        return plain[name] if name in plain else models_of(getattr(bluejeans, name), secrets)

    return st.builds(cls, **{a.name: values(a) for a in cls.attributes})
