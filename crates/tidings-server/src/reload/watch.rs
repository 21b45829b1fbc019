//! Files that change.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How often files are looked at. That also sees what links lead to, as where volumes are mounted, and costs a few calls to
/// the system.
const INTERVAL: Duration = Duration::from_secs(1);

/// Looks at files.
#[derive(Debug)]
pub struct FileWatch {
    seen: BTreeMap<PathBuf, Option<Mark>>,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    modified: Option<SystemTime>,
    bytes: u64,
    #[cfg(unix)]
    inode: u64,
}

impl FileWatch {
    /// Begins with the files as they are now. One that is not there may come.
    pub fn new(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let mark = |path: PathBuf| {
            let mark = Mark::of(&path);
            (path, mark)
        };
        Self {
            seen: files.into_iter().map(mark).collect(),
        }
    }

    /// Returns once one of the files has changed and all have been still for a second, so that what is half written is not
    /// read. Must be called within a tokio runtime.
    pub async fn changed(&mut self) {
        let mut has_changed = false;
        loop {
            tokio::time::sleep(INTERVAL).await;
            let is_different = self.look();
            if has_changed && !is_different {
                return;
            }
            has_changed |= is_different;
        }
    }

    fn look(&mut self) -> bool {
        let mut is_different = false;
        for (path, seen) in &mut self.seen {
            let now = Mark::of(path);
            is_different |= now != *seen;
            *seen = now;
        }
        is_different
    }
}

impl Mark {
    fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().as_ref().map(Self::from)
    }
}

impl From<&Metadata> for Mark {
    fn from(file: &Metadata) -> Self {
        Self {
            modified: file.modified().ok(),
            bytes: file.len(),
            #[cfg(unix)]
            inode: std::os::unix::fs::MetadataExt::ino(file),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_change_is_told_once_the_files_are_still() {
        let folder = std::env::temp_dir().join(crate::node::random_name());
        fs::create_dir(&folder).expect("a folder");
        let file = folder.join("rules");
        let mut watch = FileWatch::new([file.clone()]);
        let never = tokio::time::timeout(INTERVAL * 10, watch.changed()).await;
        assert!(never.is_err(), "nothing has changed");
        for text in ["one", "two, longer"] {
            fs::write(&file, text).expect("written");
            watch.changed().await;
        }
        fs::remove_file(&file).expect("removed");
        watch.changed().await;
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn another_file_of_the_same_length_is_a_change() {
        let folder = std::env::temp_dir().join(crate::node::random_name());
        fs::create_dir(&folder).expect("a folder");
        let (file, other) = (folder.join("a"), folder.join("b"));
        fs::write(&file, "one").expect("written");
        let mut watch = FileWatch::new([file.clone()]);
        fs::write(&other, "two").expect("written");
        fs::rename(&other, &file).expect("put in its place");
        assert!(watch.look());
        assert!(!watch.look());
        fs::remove_dir_all(&folder).expect("removed");
    }
}
