//! Modbus/TCP Security on a real socket: certificates of both ends are asked for and believed only under the right authority.
//!
//! The certificates beside this file are for these tests alone and good for a hundred years.

use super::wire::first_scan;
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

/// An instrument that lets in only those with a certificate of the test authority.
async fn instrument() -> String {
    let certificates =
        |name| CertificateDer::pem_file_iter(file(name)).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    let mut roots = RootCertStore::empty();
    roots.add(certificates("ca.pem").remove(0)).unwrap();
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates("device.pem"), PrivateKeyDer::from_pem_file(file("device.key")).unwrap())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut wire) = acceptor.accept(socket).await else { continue };
            let mut b = [0; 12];
            while wire.read_exact(&mut b).await.is_ok() {
                let head = b[..2].to_vec();
                let asked =
                    Asked { head, unit: b[6], function: b[7], address: be(b[8], b[9]), count: be(b[10], b[11]) };
                wire.write_all(&frame_tcp(&asked, &data(&asked))).await.unwrap();
            }
        }
    });
    address
}

async fn scan(ca: &str, client: bool) -> Scan {
    let client = client.then(|| (file("gateway.pem"), file("gateway.key")));
    let tls = TlsFiles { ca: file(ca), client, server_name: Some("device".into()) };
    first_scan(Transport::TcpTls { address: instrument().await, tls }).await
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
