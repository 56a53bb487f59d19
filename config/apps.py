"""The admin, under our own name."""

from django.contrib.admin.apps import AdminConfig


class CopydeskAdminConfig(AdminConfig):
    default_site = "config.admin.CopydeskAdminSite"
