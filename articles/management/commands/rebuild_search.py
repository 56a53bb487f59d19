"""Make the search index anew."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from articles.management.progress import Progress
from articles.models import Article
from articles.triggers import index


class Command(BaseCommand):
    help = (
        "Make the search index anew. The database keeps it in step by itself; this is for after a restore, or when "
        "something has written into it. The site may be running."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with Progress(sys.stderr, "stories", Article.objects.count) as progress:
            count = index.rebuild(progress.update)
        self.stdout.write(f"indexed={count}")
