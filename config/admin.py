"""The admin site: the stock one with our name, title and style."""

from django.conf import settings
from django.contrib import admin


class CopydeskAdminSite(admin.AdminSite):
    site_title = "Copydesk"
    index_title = "The newsroom"
    enable_nav_sidebar = False  # the way around is in the header, and the lists need the width
    empty_value_display = "–"

    @property
    def site_header(self) -> str:  # type: ignore[override]  # read when asked for
        return f"{settings.SITE_NAME} newsroom"
