"""What `up` makes and what it finds, and what is remembered of both."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deployer import layout
from deployer.engine.inventory import Container, Inventory, Network, Volume, Wanted, WantedVolume
from deployer.errors import PreflightError
from deployer.paths import Deployment
from deployer.record import Owned, Resource, ResourceKind
from deployer.workflows.deployment import ownership
from deployer.workflows.deployment.files import FileChange
from tests.support.fake_engine import FACTS, FakeContainers, FakeEngine, service_container

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.engine.values import ServiceContainer
    from deployer.workflows.deployment.ownership import Adoption

DATA = Resource(ResourceKind.VOLUME, "registry_data")
NETWORK = Resource(ResourceKind.NETWORK, "registry_default")
NOTHING = Inventory("registry")
PLAIN = WantedVolume("registry_data", is_external=False, driver="", options={}, labels={})
WANTED = Wanted((PLAIN,), ("registry_default",), ("registry-registry-1",), DATA)
MADE_BY_COMPOSE = {"com.docker.compose.project": "registry", "com.docker.compose.config-hash": "1"}


def volume(project: str = "registry", **options: str) -> Volume:
    return Volume("registry_data", project, "local", options, MADE_BY_COMPOSE if project == "registry" else {})


def container(name: str, **values: object) -> Container:
    none = Container("id", name, "", "", "", "", frozenset(), frozenset(), frozenset())
    return replace(none, **values)  # type: ignore[arg-type]


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment("registry", tmp_path / "registry")


def examined(
    deployment: Deployment, there: Inventory, wanted: Wanted = WANTED, changes: tuple[FileChange, ...] = ()
) -> Adoption:
    return ownership.examine(deployment, wanted, there, changes, ["compose.yaml"])


def deployed(deployment: Deployment) -> None:
    deployment.directory.mkdir()
    deployment.compose_file.write_text("# Written by deployer\nname: registry\n")


def test_where_nothing_is_everything_is_made(deployment: Deployment) -> None:
    found = examined(deployment, NOTHING)
    assert (found.found, found.warnings) == ((), ())
    assert found.owned == Owned(frozenset({DATA, NETWORK}), frozenset(), frozenset({"compose.yaml"}))


@pytest.mark.parametrize("project", ["", "registry", "other"])
def test_a_volume_of_anybody_is_found_and_then_remembered(deployment: Deployment, project: str) -> None:
    there = Inventory("registry", volumes=(volume(project),))
    found = examined(deployment, there)
    assert found.found == (DATA,)
    assert found.owned.found == {DATA}
    ownership.keep(deployment, found.owned)
    again = examined(deployment, there)
    assert again.found == ()
    assert again.owned == found.owned


def test_what_was_made_and_then_made_again_by_hand_is_found(deployment: Deployment) -> None:
    ownership.keep(deployment, examined(deployment, NOTHING).owned)
    assert examined(deployment, Inventory("registry", volumes=(volume(),))).found == ()
    assert examined(deployment, Inventory("registry", volumes=(volume(""),))).found == (DATA,)


def test_what_an_up_made_that_remembered_nothing_is_its_own(deployment: Deployment) -> None:
    deployed(deployment)
    known = examined(deployment, Inventory("registry", volumes=(volume(),)))
    assert (known.found, known.owned.found) == ((), frozenset())
    # Without the label it is another's; what runs on it already is not asked about any more, and remembered.
    assert examined(deployment, Inventory("registry", volumes=(volume(""),))).found == (DATA,)
    runs = container(
        "registry-registry-1",
        project="registry",
        directory=str(deployment.directory),
        volumes=frozenset({"registry_data"}),
    )
    used = examined(deployment, Inventory("registry", (runs,), (volume(""),)))
    assert used.found == ()
    assert used.owned.found == {DATA}


def test_who_else_uses_it_is_told(deployment: Deployment) -> None:
    other = container("old", volumes=frozenset({"registry_data"}))
    helper = container("registry-upkeep", helper_of=str(deployment.directory), volumes=frozenset({"registry_data"}))
    found = examined(deployment, Inventory("registry", (other, helper), (volume(""),)))
    assert "the volume registry_data (also used by the container old)" in found.warnings[0]


def test_who_reaches_it_by_another_path_is_told_and_that_there_are_images(
    deployment: Deployment, tmp_path: Path
) -> None:
    images, link = tmp_path / "images", tmp_path / "link"
    (images / "docker/registry/v2").mkdir(parents=True)
    link.symlink_to(images)
    registry = "/var/lib/registry"
    device = replace(volume(""), options={"type": "none", "o": "bind", "device": str(link)})
    told = "contains a registry's images; also used by the container old"
    for place, target in ((images, registry), (images / "docker", "/x"), (tmp_path, registry)):
        mount = {"Type": "bind", "Source": str(place), "Destination": target, "RW": True}
        other = container("old", writable=(mount,))
        [said] = examined(deployment, Inventory("registry", (other,), (device,))).warnings
        assert f"the volume registry_data ({told})" in said
    # By a volume whose device it is; and for a directory, and a volume that is still to be made.
    theirs = {"Type": "volume", "Name": "theirs", "Source": "/v", "Destination": "/data", "RW": True}
    other = container("old", volumes=frozenset({"theirs"}), writable=(theirs,))
    there = Inventory("registry", (other,), devices={"theirs": str(images)})
    [said] = examined(deployment, there, Wanted(storage=Resource(ResourceKind.DIRECTORY, str(link)))).warnings
    assert f"the directory {link} ({told})" in said
    wanted = replace(WANTED, volumes=(replace(PLAIN, options={"device": str(images)}),))
    [said] = examined(deployment, there, wanted).warnings
    assert f"the directory {images} ({told}) as the device of the volume registry_data" in said
    # A folder above that is mounted for another end says nothing.
    above = container("old", writable=({"Type": "bind", "Source": "/", "Destination": "/host", "RW": True},))
    [said] = examined(deployment, Inventory("registry", (above,), (device,))).warnings
    assert "also used" not in said


def test_an_external_volume_is_what_its_user_says(deployment: Deployment) -> None:
    external = replace(WANTED, volumes=(replace(PLAIN, is_external=True),))
    found = examined(deployment, Inventory("registry", volumes=(volume(""),)), external)
    assert found.found == ()
    assert DATA not in found.owned.made | found.owned.found


@pytest.mark.parametrize("kind", [ResourceKind.VOLUME, ResourceKind.NETWORK])
def test_what_the_files_use_of_others_and_is_not_there_is_refused(deployment: Deployment, kind: ResourceKind) -> None:
    external = replace(PLAIN, name="other", is_external=True)
    wanted = (
        Wanted(volumes=(external,), mounted={"registry": {"/x": "other"}})
        if kind is ResourceKind.VOLUME
        else Wanted(external_networks=frozenset({"other"}))
    )
    with pytest.raises(PreflightError, match="does not exist") as caught:
        examined(deployment, NOTHING, wanted)
    assert caught.value.advice[0] == f"docker {kind} create other"
    # One that no service uses is not missed, as by Compose.
    examined(deployment, NOTHING, replace(wanted, mounted={}, external_networks=frozenset()))


def test_a_directory_is_found_where_anything_is_in_it(deployment: Deployment, tmp_path: Path) -> None:
    place = tmp_path / "images"
    resource = Resource(ResourceKind.DIRECTORY, str(place))
    wanted = Wanted(storage=resource)
    assert examined(deployment, NOTHING, wanted).owned.made == {resource}
    (place / "lost+found").mkdir(parents=True)
    assert examined(deployment, NOTHING, wanted).found == ()
    (place / ".hidden").touch()
    found = examined(deployment, NOTHING, wanted)
    assert found.found == (resource,)
    assert "contains .hidden but no registry's images" in found.warnings[0]


def test_a_strangers_file_is_told_before_it_is_replaced(deployment: Deployment) -> None:
    changes = (
        FileChange("compose.yaml", b"services: {}", b"name: registry"),
        FileChange("registry/config.yaml", None, b""),
    )
    found = examined(deployment, NOTHING, changes=changes)
    assert found.replaced == ("compose.yaml",)
    assert "was not written by deployer: compose.yaml. It will be replaced." in found.warnings[0]
    ownership.keep(deployment, found.owned)
    assert examined(deployment, NOTHING, changes=changes).replaced == ()


def test_another_projects_network_and_container_are_refused(deployment: Deployment) -> None:
    for project in ("", "other"):
        with pytest.raises(PreflightError, match="A network named 'registry_default' already exists"):
            examined(deployment, Inventory("registry", networks=(Network("id", "registry_default", project),)))
        for name in ("registry-registry-1", "registry-upkeep"):
            with pytest.raises(PreflightError, match=f"A container named '{name}' already exists"):
                examined(deployment, Inventory("registry", (container(name, project=project),)))


def test_what_is_advised_takes_nobodys_name(deployment: Deployment) -> None:
    """Where it stood in the way before, the name with -old is taken, and another deployment may be the second."""
    name = "registry-registry-1"
    deployment.directory.with_name("registry2").mkdir(parents=True)
    there = [container(one, project="other") for one in (name, f"{name}-old", f"{name}-old2")]
    inventory = Inventory("registry", (*there, container("db", project="registry3")))
    with pytest.raises(PreflightError) as caught:
        examined(deployment, inventory)
    rename, elsewhere = caught.value.advice
    assert rename == f"docker rename {name} {name}-old3"
    assert elsewhere.startswith("deployer up --name registry4 ")


@pytest.mark.parametrize("wanted", [{"driver": "nfs"}, {"options": {"o": "bind"}}, {"labels": {"mine": "yes"}}])
def test_a_volume_that_compose_would_empty_is_refused(deployment: Deployment, wanted: dict[str, object]) -> None:
    changed = replace(PLAIN, **wanted)  # type: ignore[arg-type]
    with pytest.raises(PreflightError, match="Compose would remove it with all its contents"):
        examined(deployment, Inventory("registry", volumes=(volume(),)), replace(WANTED, volumes=(changed,)))
    # Compose leaves alone what it did not make.
    examined(deployment, Inventory("registry", volumes=(volume(""),)), replace(WANTED, volumes=(changed,)))


def test_what_is_used_no_more_stays_remembered_while_it_is_there(deployment: Deployment) -> None:
    there = Inventory("registry", volumes=(volume(""),))
    ownership.keep(deployment, examined(deployment, there).owned)
    moved = Wanted(storage=Resource(ResourceKind.DIRECTORY, "/nowhere"))
    assert DATA in examined(deployment, there, moved).owned.found
    assert DATA not in examined(deployment, NOTHING, moved).owned.found


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"made": [["planet", "x"]], "found": [], "files": []}', b"1"])
def test_a_damaged_memory_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "owned.json").write_bytes(content)
    assert Owned.read(tmp_path / "owned.json") is None


def registry_with(wanted: Wanted) -> FakeEngine:
    """An engine whose registry runs with the storage that is wanted, be it a directory."""

    class Running(FakeContainers):
        def of_project(self, project: str, states: object = ()) -> tuple[ServiceContainer, ...]:
            return (service_container("registry", "running"),)

        def run_script(self, container: str, script: str, *arguments: str, stdin: bytes = b"") -> bytes:
            place = wanted.storage.name if wanted.storage else ""
            local = [argument.replace(layout.STORAGE, place) for argument in arguments]
            return subprocess.run(
                ["sh", "-c", script, "sh", *local], input=stdin, check=True, capture_output=True
            ).stdout

    return FakeEngine(containers=Running())


def used(deployment: Deployment, wanted: Wanted = WANTED) -> None:
    """An `up` that came to its end."""
    adoption = examined(deployment, NOTHING, wanted)
    ownership.keep_engine(deployment, FACTS, adoption.owned)
    ownership.keep_storage(deployment, registry_with(wanted), adoption)


def in_directory(folder: Path) -> Wanted:
    return replace(WANTED, volumes=(), storage=Resource(ResourceKind.DIRECTORY, str(folder)))


def test_a_volume_with_images_that_has_gone_is_told(deployment: Deployment) -> None:
    """Removed by hand, or the engine is another one."""
    used(deployment)
    (warning,) = examined(deployment, NOTHING).warnings
    assert warning.startswith("The volume registry_data, which contained the images, no longer exists")
    assert examined(deployment, Inventory("registry", volumes=(volume(),))).warnings == ()


def test_an_up_that_was_cut_off_has_lost_nothing(deployment: Deployment) -> None:
    ownership.keep(deployment, examined(deployment, NOTHING).owned)
    assert examined(deployment, NOTHING).warnings == ()


def test_storage_that_the_files_of_the_user_move_is_told(deployment: Deployment) -> None:
    used(deployment)
    moved = replace(
        WANTED, volumes=(PLAIN, replace(PLAIN, name="other")), storage=Resource(ResourceKind.VOLUME, "other")
    )
    (warning,) = examined(deployment, Inventory("registry", volumes=(volume(),)), moved).warnings
    assert (
        "stay in the volume registry_data and will not be available, because the registry will use the volume other"
        in warning
    )


@pytest.fixture
def folder(deployment: Deployment, tmp_path: Path) -> Path:
    """A directory in which an `up` that came to its end has the images."""
    made = tmp_path / "nas"
    made.mkdir()
    used(deployment, in_directory(made))
    return made


@pytest.mark.parametrize("left", ["nothing", "an empty folder"])
def test_a_directory_whose_disk_is_not_mounted_is_told(
    deployment: Deployment, folder: Path, tmp_path: Path, left: str
) -> None:
    assert examined(deployment, NOTHING, in_directory(folder)).warnings == ()
    assert (folder / ".deployer-id").read_text()
    folder.rename(tmp_path / "away")
    if left != "nothing":
        folder.mkdir()
    (warning,) = examined(deployment, NOTHING, in_directory(folder)).warnings
    assert "Is its disk mounted?" in warning
    assert ("no longer exists" in warning) == (left == "nothing")
    folder.rmdir() if left != "nothing" else None
    (tmp_path / "away").rename(folder)
    assert examined(deployment, NOTHING, in_directory(folder)).warnings == ()


@pytest.mark.parametrize("found", ["a note", "images of an earlier accident", "another deployment's ID"])
def test_what_is_not_the_directory_with_the_images_is_told_whatever_it_contains(
    deployment: Deployment, folder: Path, tmp_path: Path, found: str
) -> None:
    (folder / "docker").mkdir()
    # As the root of another disk, which has the same inode.
    for path in list(folder.iterdir()):
        path.rename(tmp_path / path.name)
    if found == "a note":
        (folder / "THIS_DISK_IS_NOT_MOUNTED").touch()
    elif found == "images of an earlier accident":
        (folder / "docker" / "registry" / "v2" / "blobs").mkdir(parents=True)
    else:
        (folder / ".deployer-id").write_text("0123\n")
    (warning,) = examined(deployment, NOTHING, in_directory(folder)).warnings
    assert f"{folder}, which contained the images, is a different directory" in warning
    assert "Is its disk mounted?" in warning
    # Agreed to, it is this deployment's from then on.
    used(deployment, in_directory(folder))
    assert examined(deployment, NOTHING, in_directory(folder)).warnings == ()


def test_a_directory_that_cannot_be_looked_into_is_not_taken_for_another(deployment: Deployment, folder: Path) -> None:
    (folder / ".deployer-id").unlink()
    # Reading it fails, though not with "no such file".
    (folder / ".deployer-id").mkdir()
    (folder / "docker").mkdir()
    assert examined(deployment, NOTHING, in_directory(folder)).warnings == ()


def test_a_deployment_that_no_id_was_given_yet_is_given_one_by_the_next_up(
    deployment: Deployment, folder: Path
) -> None:
    before = Owned.read(deployment.owned_file)
    assert before
    (folder / ".deployer-id").unlink()
    ownership.keep(deployment, replace(before, storage_id=""))
    ownership.keep_storage(deployment, registry_with(in_directory(folder)), None)
    after = Owned.read(deployment.owned_file)
    assert after
    assert after.storage_id == (folder / ".deployer-id").read_text().strip()
    assert replace(after, storage_id=before.storage_id) == before


def test_a_copy_beside_the_original_is_asked_about(deployment: Deployment, tmp_path: Path) -> None:
    """An older backup has the same ID; what was pushed since then is not in it."""
    before, after = tmp_path / "nas", tmp_path / "backup"
    (before / "docker" / "registry" / "v2").mkdir(parents=True)
    used(deployment, in_directory(before))
    shutil.copytree(before, after)
    found = examined(deployment, NOTHING, in_directory(after))
    assert any(f"The existing images stay in {before}" in warning for warning in found.warnings)
    assert [one.name for one in found.found] == [str(after)]
    # Without the original, the copy is all that there is.
    shutil.rmtree(before)
    assert examined(deployment, NOTHING, in_directory(after)).warnings == ()


@pytest.mark.parametrize("linked", [False, True])
def test_a_directory_that_was_moved_is_the_one_with_the_images(
    deployment: Deployment, tmp_path: Path, linked: bool
) -> None:
    before, after = tmp_path / "nas", tmp_path / "other"
    before.mkdir()
    used(deployment, in_directory(before))
    (before / "docker" / "registry" / "v2").mkdir(parents=True)
    if linked:
        after.symlink_to(before)
    else:
        shutil.move(before, after)
    found = examined(deployment, NOTHING, in_directory(after))
    assert (found.warnings, found.found) == ((), ())
    used(deployment, in_directory(after))
    # Another that is not it is asked about as ever.
    shutil.rmtree(before, ignore_errors=True)
    shutil.rmtree(after, ignore_errors=True)
    (tmp_path / "third" / "docker").mkdir(parents=True)
    warnings = examined(deployment, NOTHING, in_directory(tmp_path / "third")).warnings
    assert any("will not be available" in warning for warning in warnings)
