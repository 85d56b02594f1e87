"""What the mail feature brings."""

from __future__ import annotations

from mainstay.core.jobs import JobQueue
from mainstay.core.mail import Mailer
from mainstay.features.mail import feature


def test_it_stands_on_jobs() -> None:
    assert feature.requires == ("jobs",)
    assert feature.needs == (JobQueue,)


def test_it_provides_the_mailer() -> None:
    assert Mailer in {provision.port for provision in feature.provides}


def test_the_permissions_of_mail_are_declared() -> None:
    permissions = {p.name: p.lowest_role for p in feature.permissions}
    assert permissions == {"mail:send": "admin", "mail:read": "admin"}
