"""Masks: addresses of persons and machines give way to ones that are nobody's."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Literal

from nnlab.corpus.filter.rule import Change

Kind = Literal["email", "ip"]

# Reserved for documents: RFC 2606, RFC 5737.
STAND_IN: Mapping[Kind, str] = {"email": "email@example.com", "ip": "192.0.2.1"}
_EMAIL = re.compile(r"[\w.+%-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}\b")
_IP = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|"
    r"[23][0-9a-fA-F]{3}:(?:[0-9a-fA-F]{0,4}:){1,6}[0-9a-fA-F]{0,4})"  # global unicast
    r"(?![\w:]|\.\d)"
)


def masks(*, kinds: list[Kind]) -> Change:
    """Replace e-mail addresses, and the IP addresses that the whole internet reaches.

    As FineWeb does (Penedo et al. 2024, https://arxiv.org/abs/2406.17557, section 3.6).
    """

    def change(text: str) -> str:
        if "email" in kinds and "@" in text:
            text = _EMAIL.sub(STAND_IN["email"], text)
        if "ip" in kinds:
            text = _IP.sub(_masked_ip, text)
        return text

    return Change("masks", change)


def _masked_ip(found: re.Match[str]) -> str:
    try:
        is_public = ip_address(found[0]).is_global
    except ValueError:  # 12:30:45, a version number
        return found[0]
    return STAND_IN["ip"] if is_public else found[0]
