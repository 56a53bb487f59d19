"""The groups a newsroom starts with: Contributors write drafts, Editors publish, Managers do what cannot be undone."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

CONTRIBUTORS = [
    ("articles", "article", ["add", "change", "view"]),
    ("articles", "articleimage", ["add", "change", "delete", "view"]),
    ("articles", "relatedstory", ["add", "change", "delete", "view"]),
    ("articles", "articletopic", ["add", "change", "delete", "view"]),
    ("articles", "topic", ["view"]),
    ("articles", "event", ["view"]),
    ("articles", "sourcefile", ["view"]),
    ("providers", "provider", ["view"]),
    ("images", "remoteimage", ["add", "view"]),
]
EDITORS = [
    *CONTRIBUTORS,
    ("articles", "article", ["publish"]),
    ("articles", "topic", ["add", "change"]),
    ("articles", "topicimage", ["add", "change", "delete", "view"]),
    ("articles", "importrun", ["view"]),
    ("providers", "provider", ["add", "change"]),
    ("providers", "providerimage", ["add", "change", "delete", "view"]),
    ("images", "remoteimage", ["change"]),
]
MANAGERS = [
    *EDITORS,
    ("articles", "article", ["delete"]),
    ("articles", "topic", ["merge", "delete"]),
    ("articles", "importrun", ["run", "delete"]),
    ("articles", "importedfile", ["delete"]),  # with their run
    ("providers", "provider", ["delete"]),
    ("images", "remoteimage", ["take_down"]),
]


def create_groups(apps, schema_editor):
    _create_permissions_now(apps)
    Group = apps.get_model("auth", "Group")
    for name, rights in (("Contributors", CONTRIBUTORS), ("Editors", EDITORS), ("Managers", MANAGERS)):
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*_permissions(apps, rights))


def _create_permissions_now(apps):
    """Django makes permissions after the last migration; this one needs them already."""
    for label in ("articles", "providers", "images"):
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None


def _permissions(apps, rights):
    Permission = apps.get_model("auth", "Permission")
    for app, model, actions in rights:
        for action in actions:
            yield Permission.objects.get(
                codename=f"{action}_{model}", content_type__app_label=app, content_type__model=model
            )


def remove_groups(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=["Contributors", "Editors", "Managers"]).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("images", "0001_initial"),
        ("providers", "0001_initial"),
    ]

    operations = [migrations.RunPython(create_groups, remove_groups)]
