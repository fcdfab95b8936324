//! Programs of others: kazoo and Apache Curator 2.7.1 with the recipes that Metron's own clients use.

use anyhow::Result;
use integration_tests::{Site, curator, kazoo};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_curator_registers_kazoo_reads_and_the_other_way_round() -> Result<()> {
    let site = Site::new().await?;
    curator(&site.connect, &["register", "dga", "1.0", "2", "http://127.0.0.1:9"], "").await?;
    let seen = kazoo(&site.connect, &["services", "dga"], "").await?.json_lines()?;
    assert_eq!(
        seen[0]["keys"],
        json!(["name", "id", "address", "port", "sslPort", "payload", "registrationTimeUTC", "serviceType", "uriSpec"])
    );
    kazoo(&site.connect, &["offer"], "\"{\\\"name\\\":1}\"").await?;
    let taken = curator(&site.connect, &["poll", "5000"], "").await?;
    assert_eq!(taken.stdout.trim(), r#"{"name":1}"#);
    Ok(())
}
