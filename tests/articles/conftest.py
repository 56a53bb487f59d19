"""Who is logged in. Nobody is, unless a module asks for it: `pytestmark = pytest.mark.usefixtures("logged_in")`."""

import pytest

from tests.factories import make_user


@pytest.fixture
def editor():
    return make_user("Editors", username="ana")


@pytest.fixture
def logged_in(client, editor):
    """The test's client is the editor's."""
    client.force_login(editor)
