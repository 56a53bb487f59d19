from threading import Event
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class ArticlesConfig(AppConfig):
    name = "articles"
    verbose_name = "News"

    def ready(self) -> None:
        from images import tasks

        pre_migrate.connect(remove_triggers, sender=self)
        post_migrate.connect(install_triggers, sender=self)
        tasks.alongside.append(watch_version)


def watch_version(stopping: Event) -> None:
    from articles import purging

    purging.watch(stopping)


def remove_triggers(using: str, plan: Any, **kwargs: Any) -> None:
    from articles import triggers

    if plan:  # else nothing is altered, and the site may be running
        triggers.remove(using)


def install_triggers(using: str, **kwargs: Any) -> None:
    from articles import triggers

    triggers.install(using)
