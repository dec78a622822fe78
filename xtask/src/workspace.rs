//! The workspace as cargo sees it, and the one way in which the chores call cargo.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{DependencyKind, Message, MetadataCommand};

/// What is selected whenever code is compiled. Cargo chooses the features of a dependency by what is selected, so
/// any other selection (`-p ckpt`, no `--all-features`) would compile parts of the tree a second time.
pub(crate) const SELECTION: [&str; 2] = ["--workspace", "--all-features"];

/// The directory of the workspace's `Cargo.toml`: of the checkout that cargo was started in, since a target directory
/// that several checkouts share may hold the xtask of another one.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let here = PathBuf::from(here);
    here.parent().unwrap_or(&here).to_owned()
}

/// The cargo that runs this program, started in the workspace's root.
pub(crate) fn cargo<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs `command` with this program's own input and output.
///
/// # Errors
/// When it can't be started, or ends with anything but success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("can't start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Standard output of `command`, which must be UTF-8; its standard error is passed through.
///
/// # Errors
/// As [`run`], and when the output is not UTF-8.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let out = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("can't start `{}`", shown(command)))?;
    if !out.status.success() {
        bail!("`{}` ended with {}", shown(command), out.status);
    }
    String::from_utf8(out.stdout)
        .with_context(|| format!("`{}` wrote something that is not UTF-8", shown(command)))
}

/// Whether `command` can be started and succeeds; it stays silent.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

/// One crate of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Where its `Cargo.toml` is.
    pub(crate) directory: PathBuf,
    /// As declared: optional ones and those of other platforms too.
    pub(crate) dependencies: Vec<Dependency>,
}

impl Member {
    /// One of its files as messages name it: relative to the workspace's root.
    pub(crate) fn shown(&self, file: &str) -> String {
        let path = self.directory.join(file);
        path.strip_prefix(root()).unwrap_or(&path).display().to_string()
    }
}

/// One line of a crate's `[dependencies]`, `[dev-dependencies]` or `[build-dependencies]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The package's name, whatever it is renamed to.
    pub(crate) name: String,
    /// Used by tests, examples and benches only.
    pub(crate) dev: bool,
}

/// All crates of the workspace, by name.
///
/// # Errors
/// When `cargo metadata` fails, for example over a broken manifest.
pub(crate) fn members() -> Result<Vec<Member>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("can't read the workspace")?;
    let mut members: Vec<Member> = metadata.packages.into_iter().map(Member::from).collect();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(members)
}

impl From<cargo_metadata::Package> for Member {
    fn from(package: cargo_metadata::Package) -> Self {
        let directory =
            package.manifest_path.parent().map(|path| path.as_std_path().to_owned()).unwrap_or_default();
        let dependencies = package
            .dependencies
            .into_iter()
            .map(|dependency| Dependency {
                name: dependency.name,
                dev: dependency.kind == DependencyKind::Development,
            })
            .collect();
        Self { name: package.name.to_string(), directory, dependencies }
    }
}

/// Builds the `ckpt` program, and says where the executable is.
///
/// Examples are named too: with them cargo resolves dev-dependencies as it does for tests, and so compiles the same
/// tree instead of another one.
///
/// # Errors
/// When the build fails.
pub(crate) fn build_program() -> Result<PathBuf> {
    build("ckpt", &["--bin", "ckpt", "--examples"])
}

/// Builds one example and what it needs, and says where the executable is. The program is not built: it holds golden
/// files, so without them nothing could say which one is missing.
///
/// # Errors
/// When the build fails or there is no such example.
pub(crate) fn build_example(name: &str) -> Result<PathBuf> {
    build(name, &["--example", name])
}

fn build(name: &str, targets: &[&str]) -> Result<PathBuf> {
    let mut command = cargo(["build"]);
    command
        .args(SELECTION)
        .args(targets)
        .args(["--message-format", "json-render-diagnostics"])
        .stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("can't start `{}`", shown(&command)))?;
    let stdout = child.stdout.take().context("cargo was started without a pipe")?;
    let mut found = None;
    for message in Message::parse_stream(BufReader::new(stdout)) {
        if let Message::CompilerArtifact(artifact) = message.context("can't read what cargo built")?
            && artifact.target.name == name
        {
            found = artifact.executable.or(found);
        }
    }
    let status = child.wait().with_context(|| format!("can't wait for `{}`", shown(&command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(&command));
    }
    let found = found.with_context(|| format!("the workspace has no program or example `{name}`"))?;
    Ok(found.into_std_path_buf())
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_fails_is_named_as_one_would_type_it() {
        let error = run(cargo(["no-such-command", "--flag"]).stderr(Stdio::null())).unwrap_err();
        assert!(error.to_string().starts_with("`cargo no-such-command --flag` ended with"), "{error}");
        assert!(!succeeds(&mut Command::new("no-such-program-anywhere")));
    }

    #[test]
    fn this_crate_is_a_member_with_its_dependencies() {
        let members = members().unwrap();
        let this = members.iter().find(|member| member.name == "xtask").unwrap();
        assert_eq!(this.directory, root().join("xtask"));
        assert!(this.dependencies.contains(&Dependency { name: "anyhow".to_owned(), dev: false }));
    }
}
