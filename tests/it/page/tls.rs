//! Servers that cannot prove who they are are told nothing.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Result, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use sync_tests::programs::{DeviceFile, Ended, Program, Started};
use tempfile::TempDir;
use tokio::{io::copy_bidirectional, net::TcpListener, net::TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use super::{EMAIL, PASSWORD, server};

/// Who signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = params.self_signed(&key)?.pem();
        let issuer = Issuer::new(params, key);
        Ok(Self { issuer, pem })
    }

    /// A server's certificate for a name and these years.
    fn sign(&self, name: &str, years: (i32, i32)) -> Result<ServerConfig> {
        let key = KeyPair::generate()?;
        let certificate = params(name, years)?.signed_by(&key, &self.issuer)?;
        config(certificate.der().clone(), &key)
    }
}

fn params(name: &str, (from, to): (i32, i32)) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    Ok(params)
}

fn self_signed(name: &str) -> Result<ServerConfig> {
    let key = KeyPair::generate()?;
    let certificate = params(name, NOW)?.self_signed(&key)?;
    config(certificate.der().clone(), &key)
}

fn config(
    certificate: tokio_rustls::rustls::pki_types::CertificateDer<'static>,
    key: &KeyPair,
) -> Result<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions()?;
    Ok(config
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?)
}

/// As long as certificates of tests are good.
const NOW: (i32, i32) = (2020, 2120);

/// TLS before a server that has none, with a certificate that can be changed.
struct Proxy {
    url: String,
    config: Arc<Mutex<Arc<ServerConfig>>>,
    /// Connections on which TLS was agreed on, so that a request may have come.
    n_trusted: Arc<AtomicUsize>,
}

impl Proxy {
    async fn before(server: SocketAddr, config: ServerConfig) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("https://localhost:{}", listener.local_addr()?.port());
        let config = Arc::new(Mutex::new(Arc::new(config)));
        let n_trusted = Arc::new(AtomicUsize::new(0));
        let (current, count) = (config.clone(), n_trusted.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let config = current
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                let count = count.clone();
                tokio::spawn(async move {
                    let mut tls = TlsAcceptor::from(config).accept(stream).await?;
                    count.fetch_add(1, Ordering::SeqCst);
                    copy_bidirectional(&mut tls, &mut TcpStream::connect(server).await?).await
                });
            }
        });
        Ok(Self {
            url,
            config,
            n_trusted,
        })
    }

    fn shows(&self, config: ServerConfig) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    fn n_trusted(&self) -> usize {
        self.n_trusted.load(Ordering::SeqCst)
    }
}

/// A device in a world that trusts one authority.
struct Trusting {
    file: DeviceFile,
    folder: TempDir,
}

impl Trusting {
    fn new(authority: &Authority) -> Result<Self> {
        let folder = TempDir::with_prefix("sync-test-")?;
        std::fs::write(folder.path().join("ca.pem"), &authority.pem)?;
        let file = DeviceFile::missing()?;
        Ok(Self { file, folder })
    }

    async fn run(&self, args: Vec<String>, stdin: &str) -> Result<Ended> {
        let mut command = Program::Device.command()?;
        command
            .env("SSL_CERT_FILE", self.folder.path().join("ca.pem"))
            .arg("--database")
            .arg(self.file.path())
            .args(args);
        let stdin = stdin.to_owned();
        // The proxy is served by this runtime meanwhile.
        tokio::task::spawn_blocking(move || Started::new(&mut command, &stdin)?.ended()).await?
    }

    async fn connect(&self, url: &str) -> Result<Ended> {
        let args = [
            "connect",
            "--url",
            url,
            "--email",
            EMAIL,
            "--password-stdin",
        ];
        let args = args.map(str::to_owned).to_vec();
        self.run(args, &format!("{PASSWORD}\n")).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l14_only_who_proves_to_be_the_server_is_told_anything() -> Result<()> {
    let (_db, server) = server().await?;
    let (known, unknown) = (Authority::new()?, Authority::new()?);
    let proxy = Proxy::before(server.address, known.sign("localhost", NOW)?).await?;
    let device = Trusting::new(&known)?;
    let sync = || device.run(vec!["sync".to_owned(), "--json".to_owned()], "");
    device.connect(&proxy.url).await?.with_code(0)?;
    sync().await?.with_code(0)?;
    ensure!(proxy.n_trusted() > 0);

    let stranger = Trusting::new(&known)?;
    for (what, config) in [
        ("self-signed", self_signed("localhost")?),
        ("of an unknown authority", unknown.sign("localhost", NOW)?),
        ("expired", known.sign("localhost", (2020, 2021))?),
        ("not valid yet", known.sign("localhost", (2119, 2120))?),
        ("for another name", known.sign("zentrio.example", NOW)?),
    ] {
        proxy.shows(config);
        let before = proxy.n_trusted();
        let told = sync().await?.with_code(4)?.json()?;
        let message = told["error"]["message"].as_str().unwrap_or_default();
        ensure!(message.contains("certificate"), "{what}: {told}");
        ensure!(told["error"]["code"] == "unreachable", "{what}: {told}");
        let refused = stranger.connect(&proxy.url).await?.with_code(4)?;
        ensure!(
            refused.stderr.contains("certificate"),
            "{what}: {refused:?}"
        );
        ensure!(proxy.n_trusted() == before, "{what}: it was told something");
    }

    proxy.shows(known.sign("localhost", NOW)?);
    sync().await?.with_code(0)?;
    Ok(())
}
