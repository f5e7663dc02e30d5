//! Modbus/TCP Security on a real socket: certificates of both ends are asked for and believed only under the right authority.
//!
//! The certificates beside this file are for these tests alone and good for a hundred years, but for `expired`,
//! which is its own authority. What may happen on the wire behind the handshake is in [`super::table`], row by row as on a plain socket.

use super::wire::{first_scan, run};
use super::*;
use crate::TlsFiles;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring::default_provider};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bus/tests/tls").join(name)
}

/// Lets in only those with a certificate of the test authority, and shows the one of that name.
pub(super) fn acceptor(own: &str) -> TlsAcceptor {
    let certificates =
        |name: &str| CertificateDer::pem_file_iter(file(name)).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    let mut roots = RootCertStore::empty();
    roots.add(certificates("ca.pem").remove(0)).unwrap();
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build().unwrap();
    let key = PrivateKeyDer::from_pem_file(file(&format!("{own}.key"))).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates(&format!("{own}.pem")), key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// The way to one with the certificate `device`, for a gateway that has its own.
pub(super) fn way_to(address: String) -> Transport {
    let client = Some((file("gateway.pem"), file("gateway.key")));
    Transport::TcpTls { address, tls: TlsFiles { ca: file("ca.pem"), client, server_name: Some("device".into()) } }
}

/// An instrument with the certificate of that name.
async fn instrument(own: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let acceptor = acceptor(own);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut wire) = acceptor.accept(socket).await else { continue };
            while let Some(asked) = asked_tcp(&mut wire).await {
                wire.write_all(&frame_tcp(&asked, &data(&asked))).await.unwrap();
            }
        }
    });
    address
}

async fn scan(ca: &str, client: bool) -> Scan {
    let client = client.then(|| (file("gateway.pem"), file("gateway.key")));
    let tls = TlsFiles { ca: file(ca), client, server_name: Some("device".into()) };
    first_scan(Transport::TcpTls { address: instrument("device").await, tls }).await
}

#[tokio::test]
async fn an_instrument_is_read_through_tls_with_certificates_at_both_ends() {
    assert_eq!(values(&scan("ca.pem", true).await), [1000.0, 1100.0]);
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_not_believed() {
    assert_eq!(scan("other.pem", true).await.samples[0].reading, bad(Fault::Disconnected));
}

#[tokio::test]
async fn without_our_certificate_the_instrument_lets_nobody_read() {
    assert!(!scan("ca.pem", false).await.answered);
}

/// What an event says of a link to an instrument with the certificate `own`, where authority and name are asked for.
async fn refused(own: &str, ca: &str, name: &str) -> String {
    let tls = TlsFiles { ca: file(ca), client: None, server_name: Some(name.into()) };
    why_down(Transport::TcpTls { address: instrument(own).await, tls }).await
}

/// Why the link is told to be down.
async fn why_down(transport: Transport) -> String {
    let (mut messages, _ends) = run(spec(transport, &[1], ONE));
    let down = async {
        loop {
            if let BusMessage::State { code: "link_down", detail, .. } = messages.recv().await.unwrap() {
                return detail;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), down).await.unwrap()
}

#[tokio::test]
async fn a_certificate_that_is_not_believed_is_told_with_what_to_do() {
    for (own, ca, name, remedy) in [
        ("expired", "expired.pem", "device", "has expired: renew it, or set the clock of this machine"),
        ("device", "other.pem", "device", "signed by nobody in ca_file: put the authority that signed it there"),
        ("device", "ca.pem", "plc-1", "has another name: set server_name to one that is in it (device)"),
    ] {
        let detail = refused(own, ca, name).await;
        assert!(detail.contains(remedy), "{own}, {ca}, {name}: {detail}");
    }
}

#[tokio::test]
async fn a_peer_that_never_shakes_hands_is_given_up_after_three_seconds_and_one_that_speaks_no_tls_at_once() {
    for (answer, least, most) in [(&b""[..], 2_900, 6_000), (&[0, 1, 0, 0, 0, 3, 1, 0x83, 2, 0, 0][..], 0, 2_500)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let transport = way_to(listener.local_addr().unwrap().to_string());
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                socket.write_all(answer).await.unwrap();
                held.push(socket);
            }
        });
        let begun = Instant::now();
        let why = why_down(transport).await;
        let took = begun.elapsed().as_millis();
        assert!((least..most).contains(&took), "{took} ms: {why}");
    }
}
