//! TLS as libpq's URL parameters `sslmode` and `sslrootcert` define it.

use postgres::config::SslMode;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Who must have issued a server's certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trust {
    /// Anybody.
    Anyone,
    /// A known authority, for any server name.
    Known,
    /// A known authority, for this server's name.
    Named,
}

/// What a URL asks for.
#[derive(Debug)]
pub struct Wanted {
    mode: SslMode,
    trust: Trust,
    roots: Option<String>,
}

impl Wanted {
    /// Takes the two parameters out of a URL.
    pub fn take_from(url: &str) -> Result<(String, Self), String> {
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots, mut others) = ("prefer", None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", value)) => mode = value,
                Some(("sslrootcert", value)) => roots = Some(decode(value)),
                _ => others.push(parameter),
            }
        }
        let (mode, trust) = match (mode, &roots) {
            ("disable", _) => (SslMode::Disable, Trust::Anyone),
            ("allow" | "prefer", _) => (SslMode::Prefer, Trust::Anyone),
            ("require", None) => (SslMode::Require, Trust::Anyone),
            ("require" | "verify-ca", _) => (SslMode::Require, Trust::Known),
            ("verify-full", _) => (SslMode::Require, Trust::Named),
            _ => {
                return Err(
                    "sslmode in DATABASE_URL: send disable, allow, prefer, require, verify-ca or verify-full".into()
                );
            }
        };
        let url = if others.is_empty() { address.into() } else { format!("{address}?{}", others.join("&")) };
        Ok((url, Wanted { mode, trust, roots }))
    }

    /// Whether to encrypt.
    pub fn mode(&self) -> SslMode {
        self.mode
    }
}

/// Decodes percent-encoding.
fn decode(value: &str) -> String {
    let bytes = value.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = value.get(at + 1..at + 3).filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(code.unwrap_or(byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The connector that opens encrypted connections.
pub fn connector(wanted: &Wanted) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(ring::default_provider());
    let verifier = match wanted.trust {
        Trust::Anyone => Verifier { trust: Trust::Anyone, chain: None, provider: Arc::clone(&provider) },
        trust => {
            let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(wanted)?), Arc::clone(&provider))
                .build()
                .map_err(|error| format!("the certificates of sslrootcert cannot be used: {error}"))?;
            Verifier { trust, chain: Some(chain), provider: Arc::clone(&provider) }
        }
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// The certificates of `sslrootcert`; without it, or for `system`, those that browsers trust.
fn roots(wanted: &Wanted) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    let Some(path) = wanted.roots.as_ref().filter(|path| *path != "system") else {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(store);
    };
    let cannot = |reason: String| format!("cannot use {path}, the sslrootcert of DATABASE_URL: {reason}");
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| cannot(error.to_string()))? {
        let certificate = certificate.map_err(|error| cannot(error.to_string()))?;
        store.add(certificate).map_err(|error| cannot(error.to_string()))?;
    }
    if store.is_empty() { Err(cannot("it holds no certificate".into())) } else { Ok(store) }
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer,
        intermediates: &[CertificateDer],
        server_name: &ServerName,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp, now) {
            // The name is checked last, when the chain is known to be good.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.trust == Trust::Known => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
