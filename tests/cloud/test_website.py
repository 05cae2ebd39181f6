"""The website endpoint's rules, without a server."""

from typing import Any

import pytest

from marketplace.cloud.messages import Answer, ConfigurationFault, Request, error_page
from marketplace.cloud.website import Website, parse_website

INDEX = {"IndexDocument": {"Suffix": "index.html"}}
OBJECTS = {"there.jpg": 200, "private.jpg": 403, "error.html": 200, "index.html": 200, "dir/index.html": 200}


def parse(configuration: dict[str, Any]) -> Website:
    return parse_website(configuration, domain="site.example")


def read(key: str) -> Answer:
    status = OBJECTS.get(key, 404)
    return (
        Answer(status=200, headers={"ETag": f'"{key}"'}, body=key.encode())
        if status == 200
        else error_page(status)
    )


def ask(
    path: str, *rules: dict[str, Any], method: str = "GET", encoding: Any = "escaped", **extra: Any
) -> Answer:
    configuration = INDEX | extra | ({"RoutingRules": list(rules)} if rules else {})
    request = Request(method=method, path=path)
    return parse(configuration).answer(request, read, encoding=encoding)


def rule(redirect: dict[str, str], **condition: str) -> dict[str, Any]:
    return {"Redirect": redirect} | ({"Condition": condition} if condition else {})


TO_SHOP = {"HostName": "shop.example", "Protocol": "https", "HttpRedirectCode": "307"}
RESIZE = TO_SHOP | {"ReplaceKeyPrefixWith": "images/resizer?key="}
ERROR_DOCUMENT = {"ErrorDocument": {"Key": "error.html"}}


def test_a_prefix_rule_comes_before_the_object() -> None:
    answer = ask("/there.jpg", rule({"ReplaceKeyWith": "other"}, KeyPrefixEquals="there"))
    assert answer.status == 301
    assert answer.header("location") == "http://site.example/other"


def test_a_rule_without_a_condition_applies_to_every_request() -> None:
    assert (
        ask("/there.jpg", rule({"HostName": "new.example"})).header("Location")
        == "http://new.example/there.jpg"
    )


def test_the_object_comes_before_the_error_rules() -> None:
    answer = ask("/there.jpg", rule(RESIZE, HttpErrorCodeReturnedEquals="404"))
    assert (answer.status, answer.body) == (200, b"there.jpg")


def test_an_error_rule_comes_before_the_error_document() -> None:
    answer = ask("/gone.jpg", rule(RESIZE, HttpErrorCodeReturnedEquals="404"), **ERROR_DOCUMENT)
    assert answer.status == 307


def test_the_error_document_comes_last_and_keeps_the_status() -> None:
    for path, status in (("/gone.jpg", 404), ("/private.jpg", 403)):
        answer = ask(path, rule(RESIZE, HttpErrorCodeReturnedEquals="500"), **ERROR_DOCUMENT)
        assert (answer.status, answer.body) == (status, b"error.html")


def test_a_missing_error_document_leaves_the_plain_error() -> None:
    answer = ask("/gone.jpg", ErrorDocument={"Key": "nowhere.html"})
    assert answer.status == 404
    assert answer.header("Content-Type") == "text/html; charset=utf-8"


def test_each_error_code_has_its_own_rule() -> None:
    rules = [
        rule(TO_SHOP | {"ReplaceKeyWith": code}, HttpErrorCodeReturnedEquals=code) for code in ("403", "404")
    ]
    assert ask("/private.jpg", *rules).header("Location") == "https://shop.example/403"
    assert ask("/gone.jpg", *rules).header("Location") == "https://shop.example/404"


def test_the_first_matching_rule_wins() -> None:
    rules = [rule({"ReplaceKeyWith": name}, KeyPrefixEquals="a/") for name in ("first", "second")]
    assert ask("/a/b", *rules).header("Location") == "http://site.example/first"


def test_a_rule_without_key_prefix_prepends_the_replacement() -> None:
    answer = ask("/a/b", rule(RESIZE, HttpErrorCodeReturnedEquals="404"))
    assert answer.header("Location") == "https://shop.example/images/resizer?key=a/b"


def test_a_rule_with_key_prefix_replaces_the_prefix() -> None:
    answer = ask("/docs/a", rule({"ReplaceKeyPrefixWith": "documents/"}, KeyPrefixEquals="docs/"))
    assert answer.header("Location") == "http://site.example/documents/a"


def test_replace_key_with_replaces_the_whole_key() -> None:
    answer = ask("/docs/a", rule({"ReplaceKeyWith": "gone.html"}, KeyPrefixEquals="docs/"))
    assert answer.header("Location") == "http://site.example/gone.html"


def test_both_conditions_must_hold() -> None:
    both = rule(RESIZE, KeyPrefixEquals="a/", HttpErrorCodeReturnedEquals="404")
    assert ask("/a/b", both).header("Location") == "https://shop.example/images/resizer?key=b"
    assert ask("/c/b", both).status == 404


def test_redirects_are_301_when_the_rule_names_no_code() -> None:
    assert ask("/x", rule({"HostName": "h.example"}, HttpErrorCodeReturnedEquals="404")).status == 301


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_website_endpoints_take_get_and_head_only(method: str) -> None:
    assert ask("/there.jpg", method=method).status == 405


def test_head_is_answered_like_get() -> None:
    assert ask("/there.jpg", method="HEAD").status == 200


@pytest.mark.parametrize("path, found", [("/", b"index.html"), ("/dir/", b"dir/index.html")])
def test_the_index_document_stands_for_a_folder(path: str, found: bytes) -> None:
    assert ask(path).body == found


@pytest.mark.parametrize(
    "path, escaped, raw",
    [
        ("/a/360x270/b%20c.jpg", "a/360x270/b%20c.jpg", "a/360x270/b c.jpg"),
        ("/a%2Bb.jpg", "a%2Bb.jpg", "a+b.jpg"),
        ("/a%26b=c.jpg", "a%26b%3Dc.jpg", "a&b=c.jpg"),
        ("/100%25.jpg", "100%25.jpg", "100%.jpg"),
        ("/a%23b%3Fc.jpg", "a%23b%3Fc.jpg", "a#b?c.jpg"),
        ("/%C3%A9.jpg", "%C3%A9.jpg", "é.jpg"),
        ("/a%0D%0AX:%20y.jpg", "a%0D%0AX%3A%20y.jpg", "a%0D%0AX: y.jpg"),
    ],
)
def test_the_key_in_location_in_both_encodings(path: str, escaped: str, raw: str) -> None:
    for encoding, expected in (("escaped", escaped), ("raw", raw)):
        answer = ask(path, rule(RESIZE, HttpErrorCodeReturnedEquals="404"), encoding=encoding)
        assert answer.header("Location") == f"https://shop.example/images/resizer?key={expected}"


def test_a_bare_plus_in_a_path_is_a_space_to_s3() -> None:
    assert Request(method="GET", path="/a+b%2Bc").key == "a b+c"


def test_if_none_match_is_answered_with_304() -> None:
    website = parse(INDEX)
    known = Request(method="GET", path="/there.jpg", if_none_match='"x", W/"there.jpg"')
    answer = website.answer(known, read)
    assert (answer.status, answer.body, answer.header("ETag")) == (304, b"", '"there.jpg"')


def test_fifty_rules_are_the_most() -> None:
    rules = [rule({"ReplaceKeyWith": "x"}, KeyPrefixEquals=str(number)) for number in range(51)]
    assert len(parse(INDEX | {"RoutingRules": rules[:50]}).rules) == 50
    with pytest.raises(ConfigurationFault, match="51 routing rules"):
        parse(INDEX | {"RoutingRules": rules})


@pytest.mark.parametrize(
    "configuration, fault",
    [
        (INDEX | {"RoutingRules": []}, "RoutingRules must not be an empty list"),
        (INDEX | {"RoutingRules": [rule({"ReplaceKeyWith": "a", "ReplaceKeyPrefixWith": "b"})]}, "not both"),
        (INDEX | {"RoutingRules": [{"Condition": {"KeyPrefixEquals": "a"}}]}, "needs a Redirect"),
        (INDEX | {"RoutingRules": [{"Condition": {}, "Redirect": {"HostName": "h"}}]}, "Condition needs"),
        (INDEX | {"RoutingRules": [rule({"Protocol": "ftp"})]}, "ftp"),
        (INDEX | {"RoutingRules": [rule({"HttpRedirectCode": "200"})]}, "HttpRedirectCode '200'"),
        (INDEX | {"RoutingRules": [rule({"HostName": "h"}, HttpErrorCodeReturnedEquals="200")]}, "'200'"),
        ({"ErrorDocument": {"Key": "e"}}, "needs an IndexDocument"),
        ({"IndexDocument": {"Suffix": "a/b"}}, "needs an IndexDocument"),
        ({"RedirectAllRequestsTo": {"HostName": "h"}}, "RedirectAllRequestsTo"),
    ],
)
def test_configurations_that_s3_rejects_are_refused_by_name(
    configuration: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ConfigurationFault, match=fault):
        parse(configuration)
