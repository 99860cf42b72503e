"""Files in, files out: what generation writes, replaces, proves and leaves alone."""

import ast
import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from codegen import __main__, _manifest
from codegen._errors import CodegenError
from codegen._project import Project

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).with_name("golden")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "codegen", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["get_thing", "upload_batch", "get_batch", "thing", "new_thing_kind"])
def test_the_output_reads_as_agreed(project, name):
    project.generate()
    (path,) = project.package.glob(f"shop/**/{name}.py")
    assert path.read_text("utf-8") == (GOLDEN / f"{name}.py.txt").read_text("utf-8")


def test_the_output_does_not_depend_on_the_hash_seed(tmp_path):
    outputs = []
    for seed in ("1", "2"):
        (tmp_path / seed / "specs").mkdir(parents=True)
        (tmp_path / seed / "specs" / "shop.yaml").write_bytes(Path(__file__).with_name("shop.yaml").read_bytes())
        done = run("--root", tmp_path / seed, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
        outputs.append(contents(tmp_path / seed / "generated"))
    assert outputs[0] == outputs[1]


def test_the_output_is_strictly_typed(generated, tmp_path):
    package = Path(generated.__file__).parent
    untyped = "[mypy-lxml.*,zeep.*]\nignore_missing_imports = true\nfollow_imports = skip\n"
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nstrict = true\nwarn_unreachable = true\n{untyped}", "utf-8")
    options = ["--config-file", tmp_path / "mypy.ini", "--cache-dir", tmp_path / "cache", "-p", package.name]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options],
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_an_operation_imports_no_other_and_no_model(generated):
    name = generated.__name__
    program = f"""
import sys
from {name}.shop.api import things
assert not [module for module in sys.modules if module.startswith("{name}.shop.api.things.")]
things.get_thing
print(*sorted(module for module in sys.modules if module.startswith("{name}.shop.")))
print(*({{"httpx", "openapi_python_client", "jinja2"}} & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(Path(generated.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    modules, foreign = done.stdout.split("\n")[:2]
    assert modules.split() == [
        f"{name}.shop.{rest}" for rest in ("api", "api.things", "api.things.get_thing", "models")
    ]
    assert foreign == ""


def test_every_operation_of_the_specs_is_generated_and_names_its_page():
    for path in (ROOT / "specs").glob("*.yaml"):
        paths = YAML(typ="safe").load(path)["paths"].values()
        operations = [each for item in paths for each in item.values() if isinstance(each, dict)]
        assert operations
        for operation in operations:
            name = f"sfconnector_generated.{path.stem}.api.{operation['tags'][0]}.{operation['operationId']}"
            module = importlib.import_module(name)
            assert callable(module.build)
            assert operation["externalDocs"]["url"] in module.sync.__doc__


def test_a_name_that_is_not_there_is_an_attribute_error(models):
    with pytest.raises(AttributeError, match="has no attribute 'Nobody'"):
        models.Nobody  # noqa: B018


def test_public_names_are_listed(api, models):
    assert api.__all__ == ["bulk_jobs", "org", "things"]
    assert all(hasattr(models, name) for name in models.__all__)


def test_an_untouched_package_is_in_step(project):
    project.generate()
    assert project.differences() == []


def test_every_difference_is_listed(project):
    project.generate()
    (project.package / "shop" / "api" / "org" / "get_limits.py").write_text("# edited\n", "utf-8")
    (project.package / "shop" / "models" / "limit.py").unlink()
    (project.package / "shop" / "old.py").write_text("", "utf-8")
    differences = ["shop/api/org/get_limits.py: differs", "shop/models/limit.py: missing", "shop/old.py: stale"]
    assert project.differences() == differences


def test_nothing_generated_yet_is_out_of_step(project):
    assert "client.py: missing" in project.differences()
    assert not project.package.parent.exists()


def test_stale_files_go(project):
    project.generate()
    before = contents(project.package)
    (project.package / "shop" / "old.py").write_text("", "utf-8")
    (project.package / "gone_spec").mkdir()
    (project.package / "gone_spec" / "__init__.py").write_text("", "utf-8")
    project.generate()
    assert contents(project.package) == before
    assert [path.name for path in project.package.parent.iterdir()] == [project.name]


def test_a_generation_that_is_killed_changes_nothing(project):
    project.generate()
    before = contents(project.package)
    with (project.specs / "shop.yaml").open("a", encoding="utf-8") as spec:
        spec.write("# a remark\n")
    program = """
import os, signal, sys
from pathlib import Path
from codegen._project import Project
Project._install = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Project(Path(sys.argv[1]), sys.argv[2]).generate()
"""
    done = subprocess.run([sys.executable, "-c", program, project.root, project.name], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert contents(project.package) == before
    assert len([*project.package.parent.iterdir()]) == 2
    project.generate()
    assert [path.name for path in project.package.parent.iterdir()] == [project.name]


@pytest.mark.parametrize(
    "text",
    ['ends with "', "a back\\slash \\", '"""', '\\"""\\', "{{ 1 + 1 }} {% raw %} {thing_id} %s", "ü\u202e\U0001f600"],
)
def test_no_text_of_a_spec_leaves_its_literal(project, text):
    path = project.specs / "shop.yaml"
    spec = YAML(typ="safe").load(path)
    get = spec["paths"]["/things/{thing_id}"]["get"]
    get |= {"summary": text, "description": text, "externalDocs": {"url": f"https://example.com/{text}"}}
    get["parameters"] += [{"name": f"y{text}", "in": "query", "description": text, "schema": {"type": "string"}}]
    schemas = spec["components"]["schemas"]
    schemas["Thing"] |= {"description": text}
    schemas["Thing"]["properties"][f"x{text}"] = {"type": "string", "description": text}
    schemas["NewThing"]["properties"]["kind"] |= {"description": text, "enum": ["a", f"z{text}"]}
    spec["info"]["title"] = text
    path.write_text(json.dumps(spec, ensure_ascii=False), "utf-8")
    project.generate()
    trees = {file.name: ast.parse(file.read_text("utf-8")) for file in project.package.rglob("*.py")}
    values = {
        node.value
        for name in ("get_thing.py", "thing.py", "new_thing_kind.py")
        for node in ast.walk(trees[name])
        if isinstance(node, ast.Constant)
    }
    wire = text.replace("\u202e", "")
    assert {f"y{wire}", f"x{wire}", f"z{wire}", text} <= values
    (sync,) = (node for node in trees["get_thing.py"].body if getattr(node, "name", None) == "sync")
    assert ast.get_docstring(sync).count(text) == 4


def test_a_spec_that_went_takes_its_package_along(project):
    shop = project.specs / "shop.yaml"
    (project.specs / "twin.yaml").write_bytes(shop.read_bytes())
    project.generate()
    assert (project.package / "twin" / "api").is_dir()
    (project.specs / "twin.yaml").unlink()
    project.generate()
    assert not (project.package / "twin").exists()


class TestManifest:
    """Sums prove the same as a generation, without the generator."""

    def test_the_committed_package_is_in_step(self):
        assert _manifest.differences(ROOT / "specs", ROOT / "generated" / "sfconnector_generated") == []

    def test_it_needs_no_generator(self):
        program = (
            "import sys, codegen._manifest; print(*({'openapi_python_client', 'jinja2', 'ruamel'} & {*sys.modules}))"
        )
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == ""

    def test_changes_of_either_side_are_told(self, project):
        project.generate()
        assert _manifest.differences(project.specs, project.package) == []
        with (project.specs / "shop.yaml").open("a", encoding="utf-8") as spec:
            spec.write("# a remark\n")
        (project.package / "types.py").write_text("", "utf-8")
        (project.package / "shop" / "extra.py").write_text("", "utf-8")
        assert _manifest.differences(project.specs, project.package) == [
            "inputs: specs/shop.yaml",
            "outputs: shop/extra.py",
            "outputs: types.py",
        ]


WSDL = (ROOT / "specs/partner.wsdl").read_text("utf-8")


class TestVersion:
    """``--api-version`` moves specs, WSDL and constant together, or not at all."""

    def test_it_changes_the_version_and_nothing_else(self, project):
        before = (project.specs / "shop.yaml").read_text("utf-8")
        (project.specs / "partner.wsdl").write_text(WSDL, "utf-8")
        project.generate("69.0")
        expected = before.replace('version: "68.0"   #', 'version: "69.0"   #').replace(
            "default: '68.0'", 'default: "69.0"'
        )
        assert (project.specs / "shop.yaml").read_text("utf-8") == expected
        assert (project.specs / "partner.wsdl").read_text("utf-8") == WSDL.replace("/u/68.0", "/u/69.0")
        assert 'API_VERSION = "69.0"' in (project.package / "_version.py").read_text("utf-8")
        assert project.differences() == []

    def test_the_constant_is_the_version_of_the_specs(self, generated):
        assert generated.API_VERSION == "68.0"

    @pytest.mark.parametrize(
        "version", ["abc", "", "69", "-1.0", "69.5", "069.0", "٦٩.0", "69.0 ", "69.0\n", "10000.0"]
    )
    def test_nonsense_is_refused(self, project, version):
        self.refused(project, version, "is no API version; write it like 68.0")

    @pytest.mark.parametrize("version", ["7.0", "20.0", "30.0"])
    def test_a_retired_version_is_refused(self, project, version):
        self.refused(project, version, "is retired; the oldest that Salesforce serves is 31.0")

    @pytest.mark.parametrize("version", ["690.0", "9999.0"])
    def test_a_version_of_the_far_future_is_refused(self, project, version):
        self.refused(project, version, "is far beyond any release")

    def test_a_spec_with_two_versions_is_refused(self, project):
        path = project.specs / "shop.yaml"
        text = path.read_text("utf-8").replace(
            "      - url: /services/apexrest/\n",
            "      - url: /services/apexrest/\n        variables: {version: {default: '68.0'}}\n",
        )
        path.write_text(text, "utf-8")
        self.refused(
            project, "69.0", "expected the default of the server variable version exactly once, found it 2 times"
        )

    def test_a_spec_without_a_version_variable_is_refused(self, project):
        path = project.specs / "shop.yaml"
        text = path.read_text("utf-8").replace("      version: {default: '68.0', description: API version.}\n", "")
        path.write_text(text, "utf-8")
        self.refused(
            project, "69.0", "expected the default of the server variable version exactly once, found it 0 times"
        )

    def test_an_anchor_counts_once(self, project):
        path = project.specs / "shop.yaml"
        text = path.read_text("utf-8").replace("    variables:\n", "    variables: &all\n")
        text = text.replace("- url: /services/apexrest/\n", "- url: /services/apexrest/\n        variables: *all\n")
        path.write_text(text, "utf-8")
        project.generate("69.0")
        assert path.read_text("utf-8").count("69.0") == 2

    def test_a_wsdl_without_an_endpoint_is_refused(self, project):
        (project.specs / "partner.wsdl").write_text("<definitions/>", "utf-8")
        self.refused(project, "69.0", "expected one endpoint .../services/Soap/u/<version>, found 0")

    def test_a_failure_leaves_everything_as_it_was(self, project):
        project.generate()
        with (project.specs / "shop.yaml").open("a", encoding="utf-8") as spec:
            spec.write("    Odd: {$ref: '#/nowhere'}\n")
        self.refused(project, "69.0", "$ref #/nowhere leads nowhere")

    def test_a_failed_replacement_is_undone(self, project, monkeypatch):
        project.generate()
        (project.specs / "twin.yaml").write_bytes((project.specs / "shop.yaml").read_bytes())
        before = contents(project.root)
        replace = Path.replace

        def disk_full(source, target):
            if target.name == "twin.yaml":
                raise OSError(28, "No space left on device")
            return replace(source, target)

        monkeypatch.setattr(Path, "replace", disk_full)
        with pytest.raises(OSError, match="No space left"):
            project.generate("69.0")
        assert contents(project.root) == before

    def refused(self, project: Project, version: str, text: str) -> None:
        before = contents(project.root)
        with pytest.raises(CodegenError) as caught:
            project.generate(version)
        assert text in str(caught.value)
        assert contents(project.root) == before


class TestCommandLine:
    """Exit codes and texts of ``python -m codegen``."""

    def test_generate_then_check(self, project, capsys):
        root = ["--root", str(project.root)]
        assert __main__.main([*root, "--check"]) == 1
        assert "out of step with the specs: run python -m codegen" in capsys.readouterr().err
        assert __main__.main([*root, "--api-version", "69.0"]) == 0
        assert __main__.main([*root, "--check"]) == 0
        assert capsys.readouterr() == ("", "")

    def test_a_refusal_is_one_line_and_exit_code_1(self, project):
        done = run("--root", project.root, "--api-version", "69")
        assert (done.returncode, done.stderr) == (1, "--api-version: '69' is no API version; write it like 68.0\n")

    def test_what_cannot_be_read_is_told_too(self, project, capsys):
        (project.specs / "folder.yaml").mkdir()
        assert __main__.main(["--root", str(project.root)]) == 1
        assert "folder.yaml" in capsys.readouterr().err

    def test_checking_another_version_makes_no_sense(self, project):
        assert run("--root", project.root, "--check", "--api-version", "69.0").returncode == 2
