//! The instruments on a stream of any kind, such as one end of an in-memory pipe: no socket, no thread, only tokio's time.
//!
//! Owns a small server for both framings, so that a whole plant runs under virtual time. Answers reads only.

use crate::fault::{Framing, check_sum};
use crate::serve::Unit;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_modbus::{ExceptionCode, Request, Response};

/// A TCP request with its header; an RTU one with its check sum.
const TCP_REQUEST: usize = 12;
const RTU_REQUEST: usize = 8;

/// Answers requests on `stream`, each after `turnaround`, until the other end closes or sends what is no read.
pub async fn serve_stream(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    framing: Framing,
    instruments: impl Unit,
    turnaround: Duration,
) {
    let mut request = [0; TCP_REQUEST];
    let request = &mut request[..if framing == Framing::Tcp { TCP_REQUEST } else { RTU_REQUEST }];
    while stream.read_exact(request).await.is_ok() {
        let (head, unit_on) = request.split_at(if framing == Framing::Tcp { 6 } else { 0 });
        let (Some(read), unit) = (read_request(&unit_on[1..6]), unit_on[0]) else { return };
        tokio::time::sleep(turnaround).await;
        let pdu = match instruments.answer(unit, &read) {
            Ok(None) => continue,
            Ok(Some(response)) => response_pdu(&response),
            Err(code) => vec![unit_on[1] | 0x80, u8::from(code)],
        };
        if stream.write_all(&framed(framing, head, unit, &pdu)).await.is_err() {
            return;
        }
    }
}

fn read_request(pdu: &[u8]) -> Option<Request<'static>> {
    let &[function, a, b, c, d] = pdu else { return None };
    let (address, count) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    match function {
        1 => Some(Request::ReadCoils(address, count)),
        2 => Some(Request::ReadDiscreteInputs(address, count)),
        3 => Some(Request::ReadHoldingRegisters(address, count)),
        4 => Some(Request::ReadInputRegisters(address, count)),
        _ => None,
    }
}

fn response_pdu(response: &Response) -> Vec<u8> {
    let (function, data) = match response {
        Response::ReadCoils(bits) => (1, packed(bits)),
        Response::ReadDiscreteInputs(bits) => (2, packed(bits)),
        Response::ReadHoldingRegisters(words) => (3, words.iter().flat_map(|w| w.to_be_bytes()).collect()),
        Response::ReadInputRegisters(words) => (4, words.iter().flat_map(|w| w.to_be_bytes()).collect()),
        _ => return vec![0x80, u8::from(ExceptionCode::IllegalFunction)],
    };
    let bytes = u8::try_from(data.len()).expect("no answer holds more than 250 bytes");
    [vec![function, bytes], data].concat()
}

fn packed(bits: &[bool]) -> Vec<u8> {
    bits.chunks(8)
        .map(|byte| byte.iter().enumerate().fold(0, |packed, (bit, on)| packed | u8::from(*on) << bit))
        .collect()
}

fn framed(framing: Framing, head: &[u8], unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(pdu.len() + 7);
    if framing == Framing::Tcp {
        let length = u16::try_from(pdu.len() + 1).expect("no answer holds more than 253 bytes");
        frame.extend_from_slice(&head[..4]);
        frame.extend(length.to_be_bytes());
    }
    frame.push(unit);
    frame.extend_from_slice(pdu);
    if framing == Framing::Rtu {
        let sum = check_sum(&frame);
        frame.extend(sum);
    }
    frame
}
