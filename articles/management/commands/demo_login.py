"""`manage.py demo_login`: an editor's login for a local demo."""

import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError

USERNAME = "editor"


class Command(BaseCommand):
    help = (
        "Makes the user `editor`, a member of Editors, and prints the password: the same on each run, "
        "kept in var/demo-login.txt. Only while DEBUG is on."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("demo_login is for a local demo: it works only while DEBUG is on.")
        password = _password(Path(settings.VAR_DIR) / "demo-login.txt")
        _make_editor(password)
        self.stdout.write(f"  The login:  {USERNAME}  {password}")


def _password(kept: Path) -> str:
    """The kept password; a new one if there is none."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(12) + "\n")
    return kept.read_text().strip()


def _make_editor(password: str) -> None:
    user, _ = User.objects.get_or_create(username=USERNAME)
    user.is_staff = user.is_active = True
    if not user.check_password(password):  # setting it anew would end the sessions of who is logged in
        user.set_password(password)
    user.save()
    user.groups.add(Group.objects.get(name="Editors"))
