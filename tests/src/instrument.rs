//! A Modbus TCP instrument of one test: what it answers is said by the test, register by register.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// What the holding registers from an address on hold; none: no answer.
pub type Answer = dyn Fn(std::ops::Range<u16>) -> Option<Vec<u16>> + Send + Sync;

/// Serves until the test's process ends, on a port of its own, which it returns.
pub fn serve(answer: Arc<Answer>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        while let Ok((wire, _)) = listener.accept() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || drop(talk(wire, &*answer)));
        }
    });
    port
}

fn talk(mut wire: TcpStream, answer: &Answer) -> std::io::Result<()> {
    loop {
        let mut request = [0; 12];
        wire.read_exact(&mut request)?;
        let (address, count) = (word(&request, 8), word(&request, 10));
        let Some(registers) = answer(address..address + count) else { continue };
        let bytes = u8::try_from(2 * registers.len()).unwrap();
        let mut frame = request[..4].to_vec();
        frame.extend([0, bytes + 3, request[6], request[7], bytes]);
        frame.extend(registers.into_iter().flat_map(u16::to_be_bytes));
        wire.write_all(&frame)?;
    }
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}
