import pytest

from fetching.errors import FetchError
from fetching.policy import Policy, is_public, parse_target

INNER = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.1.2.3 168.63.129.16
    169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1
    192.168.0.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1
    64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 64:ff9b:1::808:808 100::1 2001::1 2001:0:7f00:1::
    2001:db8::1 2001:10::1 2002:7f00:1:: 2002:c0a8:1::1 2002:808:808:: 3fff::1 4000::1 5f00::1
    fc00::1 fd00:ec2::254 fe80::1 fe80::1%1 fec0::1 ff02::1 ff0e::1
"""

PUBLIC = """
    1.1.1.1 8.8.8.8 93.184.216.34 172.32.0.1 192.167.255.255 198.20.0.1 223.255.255.254
    2606:4700:4700::1111 2a00:1450:4001:80b::200e ::ffff:8.8.8.8 64:ff9b::808:808
"""


@pytest.mark.parametrize("address", INNER.split())
def test_inner_and_special_addresses_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_hosts_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://example.com/a.jpg", "bad_scheme"),
        ("file:///etc/passwd", "bad_scheme"),
        ("data:image/png;base64,AAAA", "bad_scheme"),
        ("gopher://example.com/", "bad_scheme"),
        ("//example.com/a.jpg", "bad_scheme"),
        ("/assets/a.jpg", "bad_scheme"),
        ("", "bad_scheme"),
        ("http://", "bad_url"),
        ("http:///a.jpg", "bad_url"),
        ("http://[::1/a.jpg", "bad_url"),
        ("http://a..example/x", "bad_url"),
        ("http://example.com\\@127.0.0.1/", "bad_url"),
        ("http://exam\nple.com/", "bad_url"),
        ("http://example.com/\ud800.jpg", "bad_url"),
        ("http://example.com/a.jpg?q=\udfff", "bad_url"),
        ("http://example.com/" + "a" * 2000, "bad_url"),
        ("http://user@example.com/", "credentials"),
        ("http://user:secret@example.com/", "credentials"),
        ("http://@example.com/", "credentials"),
        ("http://example.com:22/", "bad_port"),
        ("http://example.com:0/", "bad_port"),
        ("http://example.com:99999/", "bad_port"),
        ("http://example.com:http/", "bad_port"),
        ("https://example.com:8443/", "bad_port"),
    ],
)
def test_refused_by_its_spelling(url, code):
    with pytest.raises(FetchError) as caught:
        parse_target(url, Policy())
    assert caught.value.code == code
    assert not caught.value.passing


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("HTTP://EXAMPLE.com", "http://example.com/"),
        ("  https://example.com:443/a.jpg \n", "https://example.com/a.jpg"),
        ("https://example.com:80/a.jpg", "https://example.com:80/a.jpg"),
        ("https://example.com/a b/ü.jpg?q=ä b#part", "https://example.com/a%20b/%C3%BC.jpg?q=%C3%A4%20b"),
        ("https://example.com/a%20b.jpg?w=1&h=2", "https://example.com/a%20b.jpg?w=1&h=2"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("http://[2606:4700::1]/x", "http://[2606:4700::1]/x"),
    ],
)
def test_the_address_that_is_sent(url, sent):
    assert parse_target(url, Policy()).url == sent


@pytest.mark.parametrize(
    ("entry", "host", "port", "allowed"),
    [
        ("intranet", "intranet", 8080, True),
        ("Intranet", "intranet", 80, True),
        ("intranet:8080", "intranet", 8080, True),
        ("intranet:8080", "intranet", 80, False),
        ("intranet", "www.intranet", 80, False),
        ("::1", "::1", 80, True),
        ("[::1]", "::1", 80, True),
        ("[::1]:8000", "::1", 8000, True),
        ("[::1]:8000", "::1", 80, False),
    ],
)
def test_an_allowed_host_opens_its_ports_and_no_others(entry, host, port, allowed):
    assert Policy(allow_hosts=frozenset({entry})).allows(host, port) is allowed
