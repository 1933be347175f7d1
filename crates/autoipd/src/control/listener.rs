//! The socket that clients find: its file, and the link to it that others look for.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use autoip_control::INTERFACE;
use tracing::debug;

/// Where services link their sockets for others to find, on hosts that have that.
pub(crate) const REGISTRY: &str = "/run/varlink/registry";

/// The listening socket. Its file and its link go with it.
pub(super) struct Listener {
    socket: UnixListener,
    path: PathBuf,
    /// The file of the socket by its number, so that nobody else's is removed at the end.
    inode: Option<u64>,
    link: Option<PathBuf>,
}

impl Listener {
    /// Listens at `path`. The directory is made where it is missing, and a socket that nobody
    /// listens at is replaced.
    ///
    /// # Errors
    ///
    /// What is in the way, as a sentence.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            make_dir(dir).map_err(|error| format!("{} cannot be made: {error}", dir.display()))?;
        }
        make_way(path)?;
        let socket = UnixListener::bind(path)
            .and_then(|socket| {
                // Everybody may connect; what each may do is asked of the kernel.
                fs::set_permissions(path, Permissions::from_mode(0o666))?;
                socket.set_nonblocking(true)?;
                Ok(socket)
            })
            .map_err(|error| format!("{shown} cannot be listened at: {error}"))?;
        let inode = fs::symlink_metadata(path).ok().map(|file| file.ino());
        let link = register(path, Path::new(REGISTRY));
        Ok(Self { socket, path: path.to_owned(), inode, link })
    }

    /// The next client, if one waits.
    pub(super) fn accept(&self) -> io::Result<Option<UnixStream>> {
        match self.socket.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(true)?;
                Ok(Some(stream))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(link) = &self.link
            && fs::read_link(link).is_ok_and(|target| target == self.path)
        {
            let _ = fs::remove_file(link);
        }
        let ours = fs::symlink_metadata(&self.path).ok().map(|file| file.ino());
        if ours.is_some() && ours == self.inode {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes a directory that everybody may look into, whatever the umask.
fn make_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(0o755))
}

/// Removes what a daemon left behind that was killed, and nothing else.
fn make_way(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let file = match fs::symlink_metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("{shown} cannot be looked at: {error}")),
    };
    if !file.file_type().is_socket() {
        return Err(format!("{shown} is there and is no socket; remove it, or name another path"));
    }
    if is_alive(path) {
        return Err(format!("another daemon listens at {shown}; name another path for this one"));
    }
    fs::remove_file(path).map_err(|error| format!("{shown} cannot be replaced: {error}"))
}

/// Whether somebody listens there. A full queue of clients must not make us wait for it, and it
/// is a sign of life.
fn is_alive(path: &Path) -> bool {
    let refused = |error: &io::Error| {
        matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound)
    };
    match autoip_linux::connect_now(path) {
        Ok(_) => true,
        Err(error) => !refused(error.io()),
    }
}

/// Links the socket into the registry of this host, if there is one.
fn register(path: &Path, registry: &Path) -> Option<PathBuf> {
    let link = registry.join(INTERFACE);
    if !registry.is_dir() || !path.is_absolute() {
        return None;
    }
    // A link that leads nowhere any longer was left behind.
    if fs::symlink_metadata(&link).is_ok_and(|file| file.is_symlink())
        && (fs::read_link(&link).is_ok_and(|target| target == path) || !link.exists())
    {
        let _ = fs::remove_file(&link);
    }
    match symlink(path, &link) {
        Ok(()) => Some(link),
        Err(error) => {
            debug!("{} cannot be linked: {error}", link.display());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of one test alone, removed at the end.
    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("autoipd-{}-{name}", std::process::id()));
            fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_file_comes_and_goes_with_the_listener() {
        let dir = Dir::new("listener");
        let path = dir.0.join("a/b/socket");
        let listener = Listener::open(&path).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o666, 0o755));
        assert!(listener.accept().unwrap().is_none());
        let _client = UnixStream::connect(&path).unwrap();
        assert!(listener.accept().unwrap().is_some());
        drop(listener);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_that_nobody_listens_at_is_replaced() {
        let dir = Dir::new("stale");
        let path = dir.0.join("socket");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "its file is left");
        Listener::open(&path).unwrap();
    }

    #[test]
    fn a_live_socket_is_left_alone_and_so_is_another_kind_of_file() {
        let dir = Dir::new("live");
        let path = dir.0.join("socket");
        let first = Listener::open(&path).unwrap();
        let error = Listener::open(&path).map(drop).unwrap_err();
        assert!(error.contains("another daemon listens at"), "{error}");
        assert!(path.exists(), "the refused one took nothing away");
        // However many wait to be let in.
        let waiting: Vec<_> =
            std::iter::from_fn(|| autoip_linux::connect_now(&path).ok()).take(1000).collect();
        assert!(!waiting.is_empty());
        assert!(Listener::open(&path).is_err());
        drop(first);
        fs::write(&path, "precious").unwrap();
        let error = Listener::open(&path).map(drop).unwrap_err();
        assert!(error.contains("is no socket"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn the_end_of_one_daemon_takes_nothing_from_the_next() {
        let dir = Dir::new("next");
        let path = dir.0.join("socket");
        let first = Listener::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let second = Listener::open(&path).unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn the_registry_gets_a_link_and_keeps_those_of_others() {
        let dir = Dir::new("registry");
        let (path, link) = (dir.0.join("socket"), dir.0.join(INTERFACE));
        fs::write(&path, "").unwrap();
        assert_eq!(register(&path, &dir.0.join("none")), None);
        assert_eq!(register(&path, &dir.0), Some(link.clone()));
        assert_eq!(fs::read_link(&link).unwrap(), path);
        assert_eq!(register(&path, &dir.0), Some(link.clone()), "it is made anew");
        let other = dir.0.join("other");
        fs::write(&other, "").unwrap();
        assert_eq!(register(&other, &dir.0), None, "somebody else's is in use");
        fs::remove_file(&path).unwrap();
        assert_eq!(register(&other, &dir.0), Some(link), "it led nowhere");
    }
}
