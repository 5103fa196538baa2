"""Messages are sealed for one browser and signed for its service: RFC 8291 and 8292."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from storepulse.web_push import (
    HOSTS,
    PAYLOAD_BYTES_MAX,
    BadPushKey,
    BadSubscription,
    Subscription,
    deliver,
    keep_push_key,
    outcome_of,
    sealed_message,
)
from tests.storepulse.push_service import Browser, content_of, push_service

NOW = datetime.now(UTC).replace(microsecond=0)


def test_a_message_reaches_the_browser_and_nobody_else_reads_it(tmp_path: Path) -> None:
    with push_service() as service:
        browser, other = Browser(service), Browser(service, "other")
        key = keep_push_key(tmp_path / "push-key.pem")
        message = sealed_message(
            Subscription(**browser.said), b'{"title": "\xe9\x97\xa8\xe5\xba\x97"}', key,
            contact="mailto:it@example.com", now=NOW, urgency="high", topic="action-1",
        )  # fmt: skip
        assert deliver(message) == "taken"
        assert browser.opened() == [{"title": "门店"}]
        (path, headers, body) = service.got[0]
        assert path == browser.path
        assert "门店".encode() not in body
        with pytest.raises(http_ece.ECEException):
            http_ece.decrypt(body, private_key=other.private, auth_secret=other.secret)
        wanted = {"content-encoding": "aes128gcm", "ttl": "86400", "urgency": "high",
                  "topic": "action-1"}  # fmt: skip
        assert {name: headers[name] for name in wanted} == wanted
        claims = service.claims()
        assert claims["aud"] == f"http://{service.host}"
        assert claims["sub"] == "mailto:it@example.com"
        assert claims["k"] == key.public
        assert 0 < claims["exp"] - NOW.timestamp() <= timedelta(hours=24).total_seconds()
        service.status = 410
        assert deliver(message) == "gone"
    assert deliver(message) == "later"  # nobody listens there any more


def test_the_example_of_rfc_8291_opens() -> None:
    """Appendix A of the RFC: what others seal, the browser of our tests opens as they say."""
    private = int.from_bytes(content_of("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
    body = content_of(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
        "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
        "lcy4a-fN"
    )
    opened = http_ece.decrypt(
        body, private_key=ec.derive_private_key(private, ec.SECP256R1()),
        auth_secret=content_of("BTBZMqHH6r4Tts7J_aSIgg"), version="aes128gcm",
    )  # fmt: skip
    assert opened == b"When I grow up, I want to be a watermelon"


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "push-key.pem"
    first = keep_push_key(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert keep_push_key(file).public == first.public
    assert len(content_of(first.public)) == 65
    file.write_text("no key")
    with pytest.raises(BadPushKey, match="holds no key"):
        keep_push_key(file)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"endpoint": "file:///etc/passwd"}, id="no web address"),
        pytest.param({"endpoint": "https://a b/"}, id="a space"),
        pytest.param({"endpoint": "https://user@fcm.googleapis.com/x"}, id="a user in it"),
        pytest.param({"endpoint": "https://[::1/x"}, id="no address"),
        pytest.param({"p256dh": "BB"}, id="a short key"),
        pytest.param({"p256dh": "B" * 87}, id="no point of the curve"),
        pytest.param({"auth": "YWJj"}, id="a short secret"),
        pytest.param({"auth": "!" * 22}, id="no base64url"),
    ],
)
def test_what_is_no_subscription_is_refused_and_not_repeated(changed: dict[str, Any]) -> None:
    with push_service() as service:
        said = Browser(service).said | changed
    with pytest.raises(BadSubscription) as refused:
        Subscription(**said)
    assert next(iter(changed.values())) not in str(refused.value)


@pytest.mark.parametrize(
    ("endpoint", "taken"),
    [
        ("https://fcm.googleapis.com/fcm/send/x", True),
        ("https://updates.push.services.mozilla.com/wpush/v2/x", True),
        ("https://web.push.apple.com/x", True),
        ("https://wns2-par02p.notify.windows.com/w/?token=x", True),
        ("http://fcm.googleapis.com/x", False),
        ("https://fcm.googleapis.com:8443/x", False),
        ("https://fcm.googleapis.com.evil.example/x", False),
        ("https://evilfcm.googleapis.com/x", False),
        ("https://10.0.0.1/x", False),
    ],
)
def test_only_known_push_services_are_asked(endpoint: str, taken: bool) -> None:
    with push_service() as service:
        said = Browser(service).said | {"endpoint": endpoint}
    one = Subscription(**said)
    assert "evil" not in repr(one)
    assert set(asdict(one)) == {"endpoint", "p256dh", "auth"}
    if taken:
        one.check_host(HOSTS)
        return
    with pytest.raises(BadSubscription, match="messages go to"):
        one.check_host(HOSTS)


def test_what_a_service_answers() -> None:
    answers = {200: "taken", 201: "taken", 404: "gone", 410: "gone", 429: "later", 503: "later",
               400: "refused", 403: "refused", 413: "refused", 301: "refused"}  # fmt: skip
    assert {status: outcome_of(status) for status in answers} == answers


def test_a_payload_that_no_service_need_take_is_refused(tmp_path: Path) -> None:
    with push_service() as service:
        to = Subscription(**Browser(service).said)
    key = keep_push_key(tmp_path / "push-key.pem")
    with pytest.raises(ValueError, match="at most"):
        sealed_message(to, b"x" * (PAYLOAD_BYTES_MAX + 1), key, contact="mailto:a@b.c", now=NOW)
    whole = sealed_message(to, b"x" * PAYLOAD_BYTES_MAX, key, contact="mailto:a@b.c", now=NOW)
    assert len(whole.body) <= 4096
