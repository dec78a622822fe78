//! The other side: a small HTTP server on this machine that knows range requests and has a slow line.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// So many bytes go out, then it waits.
const PIECE: usize = 64 << 10;
const WAIT: Duration = Duration::from_millis(3);

/// Starts it with so many files; returns its address. It ends with the process.
pub(crate) fn start(files: u64) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    let list: String = (0..files).map(line).collect();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let list = list.clone();
            thread::spawn(move || answer(&client, &list));
        }
    });
    Ok(address)
}

/// Reads one request and answers it. A client that goes away in the middle is no concern of the server.
fn answer(client: &TcpStream, list: &str) -> io::Result<()> {
    let head: Vec<String> =
        BufReader::new(client).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let number = path.strip_prefix("/file-").and_then(|number| number.parse().ok());
    let body = match number {
        Some(number) => file(number),
        None if path == "/list" => list.as_bytes().to_vec(),
        None => return respond(client, "404 Not Found", "", &[]),
    };
    let range =
        head.iter().find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
    match range.and_then(|range| range.strip_suffix('-')?.parse::<usize>().ok()) {
        None => respond(client, "200 OK", "", &body),
        Some(first) => match body.get(first..).filter(|rest| !rest.is_empty()) {
            Some(rest) => {
                let total = body.len();
                let range = format!("Content-Range: bytes {first}-{}/{total}\r\n", total - 1);
                respond(client, "206 Partial Content", &range, rest)
            }
            None => respond(client, "416 Range Not Satisfiable", "", &[]),
        },
    }
}

fn respond(mut client: &TcpStream, status: &str, headers: &str, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    write!(client, "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n")?;
    for piece in body.chunks(PIECE) {
        client.write_all(piece)?;
        thread::sleep(WAIT);
    }
    Ok(())
}

/// A file's contents follow from its number: 1.5 to 2 MiB.
fn file(number: u64) -> Vec<u8> {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let mut bytes = vec![0; (3 << 19) + (random.next_u32() >> 13) as usize];
    random.fill_bytes(&mut bytes);
    bytes
}

fn line(number: u64) -> String {
    let bytes = file(number);
    format!("file-{number} {} {}\n", bytes.len(), blake3::hash(&bytes))
}
