//! One question to a web server: what is at this address.

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(15);
const MOST_BYTES: u64 = 16 << 20;

/// An address as its parts.
struct Address<'a> {
    is_secret: bool,
    /// Host and port, as they are written.
    authority: &'a str,
    host: &'a str,
    port: u16,
    path: &'a str,
}

impl<'a> Address<'a> {
    fn read(url: &'a str) -> Option<Self> {
        let (is_secret, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://")?),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, if is_secret { 443 } else { 80 }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_fit = !host.is_empty() && !authority.contains('@') && rest.bytes().all(|byte| byte.is_ascii_graphic());
        is_fit.then_some(Address { is_secret, authority, host, port, path: if path.is_empty() { "/" } else { path } })
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
        for address in (self.host, self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(PATIENCE))?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Whether the name is an address rather than a file.
pub fn is_address(name: &str) -> bool {
    name.starts_with("http://") || name.starts_with("https://")
}

/// What the server answers with the status 200.
pub fn get(url: &str) -> Result<Vec<u8>, String> {
    let address =
        Address::read(url).ok_or("that is not an address: send https://HOST/PATH, without a user or a password")?;
    let answer = ask(&address).map_err(|error| format!("{url} does not answer: {error}"))?;
    body(&answer).map_err(|reason| format!("{url} answers {reason}"))
}

fn ask(address: &Address) -> io::Result<Vec<u8>> {
    let stream = address.connect()?;
    if !address.is_secret {
        return exchange(stream, address);
    }
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(address.host.to_owned()).map_err(io::Error::other)?;
    let session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    exchange(StreamOwned::new(session, stream), address)
}

fn exchange(mut stream: impl Read + Write, address: &Address) -> io::Result<Vec<u8>> {
    let Address { path, authority, .. } = address;
    let path = path.split('#').next().unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    let head = format!("GET {slash}{path} HTTP/1.1\r\nHost: {authority}\r\n");
    stream.write_all((head + "Accept: application/json\r\nConnection: close\r\n\r\n").as_bytes())?;
    stream.flush()?;
    let mut answer = Vec::new();
    match stream.take(MOST_BYTES).read_to_end(&mut answer) {
        // Some servers hang up without saying so; whether all is there, the length tells.
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(answer),
    }
}

/// The body of an answer that is whole and well, or what is wrong with it.
fn body(answer: &[u8]) -> Result<Vec<u8>, String> {
    let cut = || "less than it began".to_owned();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(cut)?;
    let (head, rest) = (String::from_utf8_lossy(answer.get(..end).unwrap_or_default()), answer.get(end + 4..));
    let rest = rest.unwrap_or_default();
    let status = head.split(' ').nth(1).unwrap_or_default().to_owned();
    if status.get(..3) != Some("200") {
        return Err(format!("with the status {status}"));
    }
    let header = |name: &str| {
        let mut named = head.lines().filter_map(|line| line.split_once(':'));
        named.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_ascii_lowercase())
    };
    if header("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        return joined(rest).ok_or_else(cut);
    }
    match header("content-length").and_then(|length| length.parse().ok()) {
        Some(length) => rest.get(..length).map(<[u8]>::to_vec).ok_or_else(cut),
        None => Ok(rest.to_vec()),
    }
}

/// The chunks of a body as one.
fn joined(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(rest.get(..end)?).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = rest.get(end + 2..)?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size.checked_add(2)?..)?;
    }
}
