"""Settings: where they come from, which wins, and every mistake in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.errors import ConfigurationError
from deployer.record import Record
from deployer.settings.load import Flags, find_file, load
from deployer.settings.model import Settings


def settings_from(
    folder: Path, text: str | None = None, environment: dict[str, str] | None = None, **flags: str
) -> Settings:
    if text is not None:
        (folder / "deployer.yaml").write_text(text)
    return load(Flags(**flags), {"HOME": str(folder), **(environment or {})}, folder).settings  # type: ignore[arg-type]


def problems_of(
    folder: Path, text: str | None = None, environment: dict[str, str] | None = None, **flags: str
) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        settings_from(folder, text, environment, **flags)
    assert caught.value.exit_code == 2
    return [problem.removeprefix(f"{folder}/") for problem in caught.value.problems] or [str(caught.value)]


def test_defaults_serve_without_a_file(tmp_path: Path) -> None:
    settings = settings_from(tmp_path)
    assert settings == Settings()
    assert (settings.address, settings.url, settings.bind_addresses) == (
        "localhost:5000",
        "http://localhost:5000",
        ("127.0.0.1",),
    )


def test_flag_wins_over_variable_over_file_over_default(tmp_path: Path) -> None:
    text = "port: 5001\nhost: file.example\nname: file\n"
    variables = {"DEPLOYER_PORT": "5002", "DEPLOYER_HOST": "variable.example"}
    settings = settings_from(tmp_path, text, variables, port="5003")
    assert (settings.port, settings.host, settings.name) == (5003, "variable.example", "file")


def record(folder: Path, name: str, host: str, port: int) -> None:
    file = folder / ".local" / "share" / "deployer" / name / "address.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(Record(host, port).content)


def test_what_up_recorded_wins_over_the_default_alone(tmp_path: Path) -> None:
    record(tmp_path, "team", "10.0.0.1", 5077)
    settings = settings_from(tmp_path, name="team")
    assert (settings.host, settings.port, settings.bind) == ("10.0.0.1", 5077, "auto")
    assert settings_from(tmp_path, name="team", port="1").port == 1
    assert settings_from(tmp_path, None, {"DEPLOYER_PORT": "2"}, name="team").port == 2
    assert settings_from(tmp_path, "registry: {image: 'registry:2'}\n", name="team").port == 5077
    assert settings_from(tmp_path, name="other").port == 5000


def test_a_file_says_all_of_the_deployment_that_it_describes(tmp_path: Path) -> None:
    record(tmp_path, "team", "10.0.0.1", 5077)
    record(tmp_path, "registry", "10.0.0.2", 5078)
    assert settings_from(tmp_path, "name: team\n").address == "localhost:5000"
    assert settings_from(tmp_path, "images: auto\n").address == "localhost:5000"
    assert settings_from(tmp_path, "name: team\n", name="registry").address == "10.0.0.2:5078"


@pytest.mark.parametrize("written", ["name: registry\nhost: 10.0.0.2\nport: 5078\n", "host: 10.0.0.2\nport: 5078\n"])
def test_a_file_for_another_deployment_says_nothing_of_where_this_one_is(tmp_path: Path, written: str) -> None:
    """Else a command for one registry would delete from the other."""
    record(tmp_path, "team", "10.0.0.1", 5077)
    file = written + "tls: internal\nregistry: {image: 'registry:2'}\n"
    settings = settings_from(tmp_path, file, name="team")
    assert (settings.address, settings.tls.is_on) == ("10.0.0.1:5077", False)
    assert settings.registry.image == "registry:2"
    # One that names none is for the one that the environment names.
    kept = "10.0.0.1:5077" if "name" in written else "10.0.0.2:5078"
    assert settings_from(tmp_path, file, {"DEPLOYER_NAME": "team"}).address == kept
    assert settings_from(tmp_path, file, {"DEPLOYER_PORT": "2"}, name="team").address == "10.0.0.1:2"
    assert settings_from(tmp_path, file, {"DEPLOYER_TLS_MODE": "internal"}, name="team").tls.mode == "internal"
    assert settings_from(tmp_path, file, name="team", host="10.0.0.3").address == "10.0.0.3:5077"
    # One that is yet to be brought up may be like the other.
    assert settings_from(tmp_path, file, name="new").address == "10.0.0.2:5078"


def test_of_a_file_for_another_deployment_no_address_is_given(tmp_path: Path) -> None:
    """So that a command that needs a deployment looks for the one that was named, and finds none."""
    (tmp_path / "deployer.yaml").write_text("name: team\nport: 5078\n")
    found = load(Flags(name="taem"), {"HOME": str(tmp_path)}, tmp_path)
    assert (found.is_of_another, found.described, found.given) == (True, "team", frozenset({"name"}))
    found = load(Flags(name="team"), {"HOME": str(tmp_path)}, tmp_path)
    assert (found.is_of_another, found.given) == (False, frozenset({"name", "port"}))


def test_without_a_name_a_host_or_port_of_its_own_means_another_registry(tmp_path: Path) -> None:
    record(tmp_path, "registry", "10.0.0.1", 5077)
    assert settings_from(tmp_path).address == "10.0.0.1:5077"
    assert settings_from(tmp_path, host="192.0.2.1").address == "192.0.2.1:5000"
    assert settings_from(tmp_path, port="5001").address == "localhost:5001"
    assert settings_from(tmp_path, host="10.0.0.1").address == "10.0.0.1:5077"
    assert settings_from(tmp_path, host="192.0.2.1", name="registry").address == "192.0.2.1:5077"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"host": "a b", "port": 1}', '{"port": 1}'])
def test_a_damaged_record_is_none(tmp_path: Path, content: str) -> None:
    record(tmp_path, "registry", "10.0.0.1", 5077)
    next(tmp_path.rglob("address.json")).write_text(content)
    assert settings_from(tmp_path) == Settings()


def test_a_new_file_is_written_from_no_record(tmp_path: Path) -> None:
    record(tmp_path, "registry", "10.0.0.1", 5077)
    assert load(Flags(), {"HOME": str(tmp_path)}, tmp_path, find=False).settings == Settings()


@pytest.mark.parametrize("target", ["moved.yaml", "deployer.yaml"])
def test_a_file_that_is_a_link_to_nowhere_is_not_passed_over(tmp_path: Path, target: str) -> None:
    """Else the registry of the defaults would be meant."""
    (tmp_path / "deployer.yaml").symlink_to(target)
    [problem] = problems_of(tmp_path)
    assert "deployer.yaml cannot be read" in problem


def test_groups_are_set_by_variables_without_losing_the_files_own(tmp_path: Path) -> None:
    settings = settings_from(
        tmp_path,
        "registry: {image: 'registry:2'}\n",
        {"DEPLOYER_REGISTRY_DATA": "images", "DEPLOYER_FRONTEND_PAGE": ""},
    )
    assert settings.registry.image == "registry:2"
    assert settings.registry.data_directory == tmp_path / "images"


def test_all_mistakes_are_told_at_once_with_the_nearest_name(tmp_path: Path) -> None:
    text = "registry: {imge: x, data: 3}\nport: 70000\nhost: 'a b'\nfrontend: 3\nimages: sometimes\nx-mine: 1\n"
    children = "frontend.image, frontend.page, frontend.page_image"
    assert problems_of(tmp_path, text, {"DEPLOYER_PROT": "1"}, port="none") == [
        "deployer.yaml: host: 'a b' is not a valid host name or IP address",
        "deployer.yaml: port: 70000 is not a valid port: a whole number from 1 to 65535",
        "deployer.yaml: images: 'sometimes' is not one of: auto, pull, build",
        "deployer.yaml: registry.data: 3 is neither 'volume' nor a directory",
        "deployer.yaml: registry.imge: unknown setting, did you mean registry.image?",
        f"deployer.yaml: frontend: 3 is not a group of settings; use: {children}",
        "DEPLOYER_PROT: unknown variable, did you mean DEPLOYER_PORT?",
        "--port: 'none' is not a valid port: a whole number from 1 to 65535",
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("port: true", "'true' is not a valid port"),
        ("port: '5000x'", "'5000x' is not a valid port"),
        ("port: 0", "0 is not a valid port"),
        ("port: 5000.5", "5000.5 is not a valid port"),
        ("port:", "nothing is not a valid port"),
        ("name: Registry", "'Registry' is not a valid project name"),
        ("name: ../up", "'../up' is not a valid project name"),
        ("name: ''", "'' is not a valid project name"),
        ("host: http://localhost", "has a scheme"),
        ("host: 'localhost:5000'", "contains a port"),
        ("host: 192.168.1", "is not a valid IP address"),
        ("host: 300.1.1.1", "is not a valid IP address"),
        ("host: a..b", "is not a valid host name"),
        ("host: 12", "12 is not a valid IP address"),
        ("host: 0x7f.1", "'0x7f.1' is not a valid IP address"),
        ("host: '::'", "'::' means all addresses"),
        ("host: 0.0.0.0", "To listen on all, set bind: 0.0.0.0"),
        ("host: 224.0.0.1", "is a multicast or broadcast address"),
        ("host: 255.255.255.255", "is a multicast or broadcast address"),
        ("host: fe80::1%eth0", "has a zone"),
        ("host: '[::1'", "is not a valid host name"),
        ("bind: ff02::1", "is a multicast or broadcast address"),
        ("bind: '::1%lo'", "has a zone"),
        ("name: -5", "-5 is not a valid project name"),
        ("true: 1", "true: unknown setting"),
        ("access: [{users: [-1], allow: [pull]}]", "-1 is not a valid user name"),
        ("access: [{users: [2026-02-30 x], allow: [pull]}]", "'2026-02-30 x' is not a valid user name"),
        ("bind: eth0", "'eth0' is neither 'auto' nor an IP address"),
        ("tls: self-signed", "'self-signed' is not one of: off, internal, acme"),
        ("tls: {certificate: a.pem}", "tls: certificate and key must be set together"),
        ("tls: {mode: internal, certificate: a.pem, key: b.pem}", "remove one of them"),
        ("tls: {mode: internal, email: a@b.example}", "are for ACME"),
        ("tls: {mode: acme, email: nobody}", "'nobody' is not a valid e-mail address"),
        ("tls: {mode: acme, directory: 'http://x'}", "is not a valid address of an ACME directory"),
        ("access: [{users: [a]}]", "access[0]: the rule has no allow"),
        ("access: [{allow: pull}]", "access[0]: the rule has no users"),
        (
            "access: [{users: [anonymous], allow: [pull, push, delete]}]",
            "access[0]: everyone could push and delete without login; allow anonymous only [pull], or confirm with",
        ),
        ("access: [{users: [ann], allow: push, anonymous_writes: true}]", "applies only to a rule that lets anonymous"),
        ("access: [{users: [anonymous], allow: pull, anonymous_writes: true}]", "applies only to a rule that lets"),
        ("access: [{users: a, allow: read}]", "access[0].allow: 'read' is not one of: pull, push, delete"),
        ("access: [{users: 'a b', allow: pull}]", "'a b' is not a valid user name"),
        ("access: [{users: a, allow: pull, repositories: Team/x}]", "'Team/x' cannot match a repository name"),
        ("retention: [{keep: 5, repositories: Team/*}]", "'Team/*' cannot match a repository name: use lowercase"),
        (
            "retention: [{keep: 5, repositories: [app, 'localhost:5000/*']}]",
            "retention[0].repositories: 'localhost:5000/*' cannot match a repository name",
        ),
        (
            "schedule: {prune: {when: nightly, keep: 5, repositories: 'other:5000/*'}}",
            "schedule.prune.repositories: 'other:5000/*' cannot match a repository name",
        ),
        ("access: [{users: a, allow: pull, repository: x}]", "did you mean access[0].repositories?"),
        ("registry: {image: 'a b'}", "'a b' is not a valid image name"),
        ("registry: {image: '-rf'}", "'-rf' is not a valid image name"),
        ("registry: {data: ''}", "'' is neither 'volume' nor a directory"),
        ('registry: {data: "a\\nb"}', "contains a control character"),
        ("port: 05000", "'05000' is not a valid port"),
        ("port: 50:00", "'50:00' is not a valid port"),
        ("port: 0x1388", "'0x1388' is not a valid port"),
        ("tls: on", "'on' is not one of: off, internal, acme"),
        ("tls: yes", "'yes' is not one of: off, internal, acme"),
        ("registry: {image: 'Registry:3'}", "'Registry:3' is not a valid image name: 'Registry:3' has uppercase"),
        ("frontend: {image: 'caddy:2:3'}", "'caddy:2:3' is not a valid image name: 'caddy:2:3' has two tags"),
        *(
            (f"registry: {{data: {folder}}}", "is a system directory")
            for folder in (
                "/",
                "//",
                "/etc",
                "/etc/registry",
                "/usr",
                "/usr/bin",
                "/bin",
                "/var",
                "/var/",
                "/home",
                "/srv/..",
                "/proc/1",
            )
        ),
        (f"registry: {{data: /srv/{'x' * 256}}}", "is too long for a path"),
        ("registry: {data: '/srv/images:ro'}", "give only the directory: /srv/images"),
        ("registry: {data: './images:rw,z'}", "give only the directory: ./images"),
        ("registry: {data: '/srv/a:b:/var/lib/registry'}", "give only the directory: /srv/a:b"),
        (f"registry: {{data: {'/xxxxxxx' * 512}}}", "is too long for a path"),
        (f"tls: {{certificate: {'x' * 256}, key: b}}", "is too long for a path"),
        ("registry: {x-mine: 1, data: 3}", "3 is neither 'volume' nor a directory"),
    ],
)
def test_a_wrong_value_is_told_with_its_reason(tmp_path: Path, line: str, problem: str) -> None:
    found = problems_of(tmp_path, line + "\n")
    assert len(found) == 1
    assert problem in found[0]
    assert found[0].startswith("deployer.yaml: " + line.partition(":")[0])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("port: 1\nport: 2\n", "deployer.yaml:2:1: not valid YAML: 'port' is listed twice."),
        ("port: [\n", "not valid YAML"),
        ("- a\n", "expected 'name: value' pairs"),
        ("just words\n", "expected 'name: value' pairs"),
        ("? [a]\n: b\n", "not valid YAML"),
        ("port: !!float 5\n", "deployer.yaml:1:7: not valid YAML: the tag !!float is not supported"),
        ("port: !mine 5\n", "the tag !mine is not supported"),
        ("port: !!bool abc\n", "the tag !!bool is not supported"),
        ("a: &a [*a]\n", "not valid YAML"),
        ("x-a: " + "[" * 3000 + "\n", "is nested too deeply"),
        ('registry: {data: "\\ud800"}\n', "half of a surrogate pair"),
        ("registry: {<<: 5}\n", "not valid YAML"),
        ("# " + "x" * (1 << 20), "File too large"),
    ],
)
def test_a_file_that_is_no_settings_file_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in problems_of(tmp_path, text)[0]


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deployer.yaml").write_bytes(b"\xff\xfe\x00")
    assert "not valid UTF-8" in problems_of(tmp_path)[0]


def test_a_place_that_turns_out_to_be_the_systems_own_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    assert "'/etc' is a system directory" in problems_of(tmp_path, "registry: {data: ./link}\n")[0]
    assert "is your home directory" in problems_of(tmp_path, "registry: {data: '~'}\n")[0]
    for folder in ("/srv", "/mnt", "/var/lib/registry", "/usr/local/registry", "/srv/registry", "/home/me/images"):
        assert settings_from(tmp_path, f"registry: {{data: {folder}}}\n").registry.data == folder


def test_keys_of_the_users_own_may_stand_everywhere(tmp_path: Path) -> None:
    text = "x-a: 1\nregistry: {x-b: 2}\nfrontend: {x-c: [3]}\nretention: [{keep: 5, x-d: 4}]\n"
    assert settings_from(tmp_path, text).retention[0].keep == 5


def test_a_folder_named_like_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "deployer.yaml").mkdir()
    assert problems_of(tmp_path) == [f"{tmp_path}/deployer.yaml cannot be read: Is a directory."]


@pytest.mark.parametrize("value", ["off", "'off'", "false", "no"])
def test_tls_off_however_yaml_reads_it(tmp_path: Path, value: str) -> None:
    found = settings_from(tmp_path, f"tls: {value}\n").tls
    assert (found.mode, found.is_on) == ("off", False)


def test_a_value_is_what_was_written_whatever_yaml_takes_it_for(tmp_path: Path) -> None:
    text = (
        "name: 2026-02-30\naccess: [{users: [1234, no, 2024-01-01], allow: pull}]\nretention: [{match: 2026-13-01}]\n"
    )
    found = settings_from(tmp_path, text)
    assert (found.name, found.retention[0].match) == ("2026-02-30", "2026-13-01")
    assert found.access[0].users == ("1234", "no", "2024-01-01")
    for name in ("on", "null-1", "5", "1e3"):
        assert settings_from(tmp_path, f"name: {name}\n").name == name


@pytest.mark.parametrize(
    ("word", "taken"), [("true", True), ("Yes", True), ("on", True), ("OFF", False), ("no", False)]
)
def test_yes_and_no_are_read_as_yaml_writes_them(tmp_path: Path, word: str, taken: bool) -> None:
    found = settings_from(tmp_path, f"retention: [{{keep: 1, untagged: {word}}}]\n")
    assert found.retention[0].untagged is taken


def test_groups_may_be_merged_from_another(tmp_path: Path) -> None:
    text = "x-rule: &rule {keep: 5, by: pushed}\nretention: [{<<: *rule, keep: 3}, {<<: [*rule]}]\n"
    first, second = settings_from(tmp_path, text).retention
    assert (first.keep, first.by, second.keep, second.by) == (3, "pushed", 5, "pushed")


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "deployer.yaml").write_bytes(b"\xef\xbb\xbfport: 5001\r\n")
    assert load(Flags(), {}, tmp_path).settings.port == 5001


def test_a_device_without_an_end_is_not_read_for_ever(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"/dev/zero cannot be read: File too large\."):
        load(Flags(config=Path("/dev/zero")), {}, tmp_path)


def test_a_variable_that_is_no_text_is_refused(tmp_path: Path) -> None:
    found = problems_of(tmp_path, None, {"DEPLOYER_REGISTRY_DATA": "/srv/\udcff"})
    assert found == ["DEPLOYER_REGISTRY_DATA: '/srv/\\udcff' is not valid UTF-8"]


def test_an_empty_file_is_no_mistake(tmp_path: Path) -> None:
    assert settings_from(tmp_path, "# nothing yet\n") == Settings()


def test_other_programs_variables_are_not_touched(tmp_path: Path) -> None:
    assert settings_from(tmp_path, None, {"DEPLOYER_SSH_USER": "www"}) == Settings()


def test_the_file_is_looked_for_in_order(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    assert find_file(None, environment, tmp_path) is None
    own = tmp_path / "xdg" / "deployer" / "deployer.yaml"
    own.parent.mkdir(parents=True)
    own.touch()
    assert find_file(None, environment, tmp_path) == own
    here = tmp_path / "deployer.yaml"
    here.touch()
    assert find_file(None, environment, tmp_path) == here
    named = tmp_path / "named.yaml"
    named.touch()
    assert find_file(None, {**environment, "DEPLOYER_CONFIG": "named.yaml"}, tmp_path) == named
    assert find_file(here, {**environment, "DEPLOYER_CONFIG": "named.yaml"}, tmp_path) == here


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"--config refers to .*missing\.yaml, but there is no such file"):
        find_file(Path("missing.yaml"), {}, tmp_path)


def test_a_data_directory_is_relative_to_its_file_and_knows_home(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "deployer.yaml").write_text("registry: {data: ../images}\n")
    loaded = load(Flags(config=folder / "deployer.yaml"), {"HOME": "/home/me"}, tmp_path)
    assert loaded.settings.registry.data_directory == tmp_path / "images"
    assert settings_from(tmp_path, None, {"DEPLOYER_REGISTRY_DATA": "~/images"}).registry.data == str(
        tmp_path / "images"
    )


@pytest.mark.parametrize(
    ("host", "address", "loopback", "bound", "local"),
    [
        ("localhost", "localhost:5000", True, ("127.0.0.1",), "http://127.0.0.1:5000"),
        ("127.0.0.2", "127.0.0.2:5000", True, ("127.0.0.2",), "http://127.0.0.2:5000"),
        ("::1", "[::1]:5000", True, ("::1",), "http://[::1]:5000"),
        ("[::1]", "[::1]:5000", True, ("::1",), "http://[::1]:5000"),
        ("192.168.100.2", "192.168.100.2:5000", False, (), "http://127.0.0.1:5000"),
        ("Registry.Example", "registry.example:5000", False, (), "http://127.0.0.1:5000"),
        ("app.localhost", "app.localhost:5000", True, ("127.0.0.1",), "http://127.0.0.1:5000"),
    ],
)
def test_addresses_follow_from_the_host(
    tmp_path: Path, host: str, address: str, loopback: bool, bound: tuple[str, ...], local: str
) -> None:
    settings = settings_from(tmp_path, host=host)
    assert (settings.address, settings.is_loopback, settings.bind_addresses, settings.local_url) == (
        address,
        loopback,
        bound,
        local,
    )


def test_bind_is_kept_and_all_addresses_need_no_entry(tmp_path: Path) -> None:
    assert settings_from(tmp_path, "bind: 10.0.0.1\n").bind_addresses == ("10.0.0.1",)
    assert settings_from(tmp_path, "bind: 0.0.0.0\n").bind_addresses == ()


def test_retention_rules_are_read_with_their_types(tmp_path: Path) -> None:
    (tmp_path / "deployer.yaml").write_text(
        "retention:\n"
        "  - {repositories: 'team/*', keep: 5, older_than: 30d, match: '^ci-', untagged: true}\n"
        "  - match: x\n"
    )
    first, second = load(Flags(), {}, tmp_path).settings.retention
    assert (first.repositories, first.keep, first.older_than, first.match) == (("team/*",), 5, 30 * 86400, "^ci-")
    assert first.untagged
    assert (second.repositories, second.by) == (("*",), "later")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("retention: 5", "retention: 5 is not a list of rules"),
        ("retention: [5]", "retention[0]: 5 is not a rule"),
        (
            "retention: [{}]",
            "retention[0]: the rule does not say what to remove: set keep, older_than, match or untagged",
        ),
        ("retention: [{by: pushed}]", "retention[0]: the rule does not say what to remove"),
        ("retention: [{kep: 5}]", "retention[0].kep: unknown setting, did you mean retention[0].keep?"),
        ("retention: [{keep: 1}, {keep: 0}]", "retention[1].keep: 0 is not a valid number of images to keep"),
        (
            "retention: [{keep: 1000001}]",
            "retention[0].keep: 1000001 is not a valid number of images to keep: a whole number from 1 to 1000000",
        ),
        (
            "retention: [{older_than: 10000000d}]",
            "retention[0].older_than: '10000000d' is too long: the number may be at most 9999999",
        ),
        ("retention: [{older_than: 30}]", "retention[0].older_than: '30' is not a valid duration"),
        ("retention: [{older_than: 30 days}]", "retention[0].older_than: '30 days' is not a valid duration"),
        ("retention: [{match: '('}]", "retention[0].match: '(' is not a valid regular expression: "),
        (
            "retention: [{match: 'a{99999999999}'}]",
            "retention[0].match: 'a{99999999999}' is not a valid regular expression: ",
        ),
        (f"retention: [{{match: '{'(' * 3000}'}}]", "retention[0].match: this regular expression is nested too deeply"),
        ("retention: [{keep: 1, by: size}]", "retention[0].by: 'size' is not one of: later, created, pushed"),
        ("retention: [{keep: 1, repositories: []}]", "retention[0].repositories: [] is not a list of repository names"),
        ("retention: [{keep: 1, untagged: 3}]", "retention[0].untagged: 3 is neither true nor false"),
    ],
)
def test_a_wrong_retention_rule_is_named(tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "deployer.yaml").write_text(written)
    with pytest.raises(ConfigurationError) as caught:
        load(Flags(), {}, tmp_path)
    assert any(f"deployer.yaml: {said}" in problem for problem in caught.value.problems), caught.value.problems


def test_a_data_directory_behind_a_link_to_itself_is_left_to_who_uses_it(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "deployer.yaml").write_text("registry: {data: loop/images}\n")
    assert load(Flags(), {}, tmp_path).settings.registry.data.endswith("/loop/images")


def test_tls_of_one_s_own_certificate_has_absolute_paths(tmp_path: Path) -> None:
    tls = settings_from(tmp_path, "tls: {certificate: tls/cert.pem, key: ~/key.pem}\n").tls
    assert (tls.certificate, tls.key) == (f"{tmp_path}/tls/cert.pem", f"{tmp_path}/key.pem")
    assert tls.is_on
    assert tls.is_own


def test_variables_add_to_the_files_tls(tmp_path: Path) -> None:
    found = settings_from(tmp_path, "host: a.example\ntls: acme\n", {"DEPLOYER_TLS_EMAIL": "me@a.example"})
    assert (found.tls.mode, found.tls.email) == ("acme", "me@a.example")
    assert found.url == "https://a.example:5000"


def test_access_rules_are_read(tmp_path: Path) -> None:
    text = "access:\n  - {users: [admin], allow: [delete, pull]}\n  - {users: '*', repositories: team/*, allow: pull}\n"
    first, second = settings_from(tmp_path, text).access
    assert (first.users, first.repositories, first.allow) == (("admin",), ("*",), ("pull", "delete"))
    assert (second.users, second.repositories, second.allow) == (("*",), ("team/*",), ("pull",))


@pytest.mark.parametrize("host", ["localhost", "10.1.2.3", "registry"])
def test_no_public_ca_certifies_what_is_no_public_name(tmp_path: Path, host: str) -> None:
    (found,) = problems_of(tmp_path, f"host: {host}\ntls: acme\n")
    assert found.startswith(f"tls: no public CA issues a certificate for '{host}'")
    own = f"host: {host}\ntls: {{mode: acme, directory: 'https://ca.example/acme/directory'}}\n"
    assert settings_from(tmp_path, own).tls.is_on


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("frontend: {page: kwk, page_image: 'mirror.example/kwk:v2'}\nimages: build\n", None),
        ("frontend: {page: kwk}\nregistry: {image: 'registry:2.8.3'}\n", None),
        ("frontend: {page: kwk}\nregistry: {image: 'registry:2'}\nimages: pull\n", None),
        # Anyone who named an image freely is not judged by its name.
        ("frontend: {page: kwk}\nregistry: {image: 'mine:3'}\n", None),
        ("frontend: {page: joxit}\nimages: pull\n", None),
        ("frontend: {page: kwk}\nimages: pull\n", "frontend.page: kwk needs registry 2.8, but registry:3 is version 3"),
        *(
            (f"frontend: {{page: kwk}}\nregistry: {{image: '{name}'}}\n", f"but {name} is version 3: set registry:")
            for name in ("registry:3.0.0", "registry", "mirror.example:5000/library/registry:3-alpine",
                         "ghcr.io/distribution/distribution:v3.1.1", "registry:3@sha256:" + "0" * 64)
        ),
        ("frontend: {page_image: 'ui:2'}\n", "frontend: page_image does not apply to page: builtin; set page"),
        ("frontend: {page: none, page_image: 'ui:2'}\n", "page: none; set page: kwk or joxit"),
        ("frontend: {page: joxit, page_image: 'UI:2'}\n", "frontend.page_image: 'UI:2' is not a valid image name"),
        ("frontend: {page: portus}\n", "frontend.page: 'portus' is not one of: builtin, kwk, joxit, none"),
    ],
)  # fmt: skip
def test_another_page_goes_with_its_image_and_a_registry_that_it_can_read(
    tmp_path: Path, text: str, problem: str | None
) -> None:
    if problem is None:
        assert settings_from(tmp_path, text).frontend.page_service_image
    else:
        found = problems_of(tmp_path, text)
        assert (len(found), problem in found[0]) == (1, True), found


def test_another_pages_image_may_come_from_a_variable(tmp_path: Path) -> None:
    variables = {"DEPLOYER_FRONTEND_PAGE": "joxit", "DEPLOYER_FRONTEND_PAGE_IMAGE": "mirror.example/ui:2"}
    assert settings_from(tmp_path, None, variables).frontend.page_service_image == "mirror.example/ui:2"
    assert settings_from(tmp_path, None, {"DEPLOYER_FRONTEND_PAGE": "kwk"}).frontend.page_service_image == (
        "konradkleine/docker-registry-frontend:v2"
    )
