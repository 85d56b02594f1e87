"""The registry: orders features by what they require and refuses what conflicts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from mainstay.core.feature import Feature, Permission


class AssemblyError(Exception):
    """The features do not fit together; the message names both culprits and says what to do."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The enabled features, each after all that it requires."""

    features: tuple[Feature, ...]

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """All declared permissions, in the order of the features."""
        return tuple(p for feature in self.features for p in feature.permissions)

    def owner_of(self, find: Callable[[Feature], bool]) -> str | None:
        """Name the first feature that the function holds true for."""
        return next((f.name for f in self.features if find(f)), None)


def assemble(
    features: Iterable[Feature],
    *,
    disable: Collection[str] = (),
    known: Collection[str] = (),
    given_ports: Collection[type[Any]] = (),
) -> Registry:
    """Order the features and check them against each other.

    ``known`` are names of further features that may be disabled; ``given_ports`` are the ports
    that the application itself brings.

    Raises:
        AssemblyError: a name, port or permission has two owners, a requirement is missing or
            circular, a needed port has no provider, or an unknown feature is disabled.
    """
    given = list(features)
    _refuse_unknown(disable, {*known, *(feature.name for feature in given)})
    _refuse_twins(given, "feature", names_of=lambda feature: [feature.name])
    enabled = [feature for feature in given if feature.name not in disable]
    ordered = _in_order(enabled, disable)
    _refuse_twins(ordered, "permission", names_of=lambda f: [p.name for p in f.permissions])
    _refuse_twins(
        ordered, "port", names_of=lambda f: [p.port for p in f.provides if not p.replaces]
    )
    _refuse_twins(ordered, "job", names_of=lambda f: [j.name for j in f.jobs])
    _refuse_twins(ordered, "check", names_of=lambda f: [c.id for c in f.checks])
    _refuse_missing_ports(ordered, given_ports)
    return Registry(tuple(ordered))


def dependents_of(name: str, features: Iterable[Feature]) -> frozenset[str]:
    """Give the names of all features that need this one, directly or not, and its own."""
    everything = list(features)
    found = {name}
    while True:
        ports = {p.port for f in everything if f.name in found for p in f.provides}
        more = {
            f.name
            for f in everything
            if f.name not in found and (found & set(f.requires) or ports & set(f.needs))
        }
        if not more:
            return frozenset(found)
        found |= more


def _refuse_unknown(disable: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(disable) - set(known))
    if unknown:
        names = ", ".join(sorted(known))
        msg = f"Cannot disable {', '.join(unknown)}: there is no such feature. There are: {names}."
        raise AssemblyError(msg)


def _refuse_twins(
    features: list[Feature], what: str, *, names_of: Callable[[Feature], Iterable[Any]]
) -> None:
    owners: dict[Any, str] = {}
    for feature in features:
        for name in names_of(feature):
            if name in owners:
                shown = getattr(name, "__name__", name)
                msg = (
                    f'The {what} "{shown}" is declared by both "{owners[name]}" and '
                    f'"{feature.name}". Rename one of them, or leave one out.'
                )
                raise AssemblyError(msg)
            owners[name] = feature.name


def _in_order(features: list[Feature], disable: Collection[str]) -> list[Feature]:
    by_name = {feature.name: feature for feature in features}
    ordered: list[Feature] = []
    done: set[str] = set()

    def visit(feature: Feature, path: tuple[str, ...]) -> None:
        if feature.name in done:
            return
        if feature.name in path:
            circle = " -> ".join([*path[path.index(feature.name) :], feature.name])
            msg = f"These features require each other in a circle: {circle}."
            raise AssemblyError(msg)
        for name in feature.requires:
            if name not in by_name:
                why = "is disabled" if name in disable else "is not there"
                msg = (
                    f'The feature "{feature.name}" requires "{name}", which {why}. '
                    f'Add "{name}", or disable "{feature.name}" too.'
                )
                raise AssemblyError(msg)
            visit(by_name[name], (*path, feature.name))
        done.add(feature.name)
        ordered.append(feature)

    for feature in features:
        visit(feature, ())
    return ordered


def _refuse_missing_ports(features: list[Feature], given: Collection[type[Any]]) -> None:
    provided = {p.port for feature in features for p in feature.provides} | set(given)
    for feature in features:
        for port in feature.needs:
            if port not in provided:
                msg = (
                    f'The feature "{feature.name}" needs {port.__name__}, which no enabled feature '
                    f'provides. Enable one that does, or disable "{feature.name}" too.'
                )
                raise AssemblyError(msg)
