//! What the page looks like: pictures of its states, in dark and light, wide and narrow.

use anyhow::{Result, ensure};
use serde_json::json;
use sync_tests::browser::{Browser, Look};

use super::{Device, server};

const LOOKS: [(&str, Look); 4] = [
    (
        "light",
        Look {
            dark: false,
            width: 1000,
        },
    ),
    (
        "dark",
        Look {
            dark: true,
            width: 1000,
        },
    ),
    (
        "phone-light",
        Look {
            dark: false,
            width: 360,
        },
    ),
    (
        "phone-dark",
        Look {
            dark: true,
            width: 360,
        },
    ),
];

/// Whether each text stands out from what is behind it, by the measure of WCAG 2.
const CONTRAST: &str = r"
const channel = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const numbers = (text) => text.match(/[\d.]+/g).map(Number);
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const colour = numbers(getComputedStyle(node).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const poor = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(node.tagName)) continue;
  const [a, b] = [light(numbers(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) poor.push(`${walker.currentNode.data.trim()}: ${ratio.toFixed(2)}`);
}
return poor;";

/// What screen readers need: a name for each field and button, headings in order, one main part.
const NAMES: &str = r"
const wrong = [];
for (const field of document.querySelectorAll('input:not([type=hidden]), progress')) {
  if (!field.labels || !field.labels.length) wrong.push(`no label: ${field.outerHTML}`);
}
for (const button of document.querySelectorAll('button, summary')) {
  if (!(button.ariaLabel || button.textContent).trim()) wrong.push(`no name: ${button.outerHTML}`);
}
let level = 0;
for (const heading of document.querySelectorAll('h1, h2, h3')) {
  const next = Number(heading.tagName[1]);
  if (next > level + 1) wrong.push(`heading skips a level: ${heading.textContent}`);
  level = next;
}
const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => wrong.push(`twice: ${id}`));
for (const node of document.querySelectorAll('[aria-labelledby], [aria-describedby], label[for]')) {
  for (const name of ['aria-labelledby', 'aria-describedby', 'for']) {
    const id = node.getAttribute(name);
    if (id && !document.getElementById(id)) wrong.push(`refers to nothing: ${node.outerHTML}`);
  }
}
if (document.querySelectorAll('main').length !== 1 || document.querySelectorAll('h1').length !== 1) wrong.push('main');
if (document.documentElement.lang !== 'en') wrong.push('no language');
return wrong;";

pub(super) async fn every_look(browser: &Browser, state: &str) -> Result<()> {
    for (name, look) in LOOKS {
        browser.look(look).await?;
        let name = format!("{state}-{name}");
        browser.keep(&name).await?;
        ensure!(!browser.scrolls_sideways().await?, "{name} is too wide");
        let poor = browser.run(CONTRAST).await?;
        ensure!(poor == json!([]), "{name}: hard to read: {poor}");
        let wrong = browser.run(NAMES).await?;
        ensure!(wrong == json!([]), "{name}: {wrong}");
    }
    browser.look(LOOKS[0].1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_state_can_be_read_in_dark_and_light_and_on_a_phone() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let (_db, server) = server().await?;
    let here = Device::new().await?;
    browser.open(&here.page.url()).await?;
    browser.says("Not connected.").await?;
    every_look(&browser, "login").await?;

    here.connect(&server).await?;
    let there = Device::connected(&server).await?;
    there.add_profile("Zoë").await?;
    browser.open(&here.page.url()).await?;
    browser.says("received 1 row").await?;
    browser.says("Devices of the account").await?;
    every_look(&browser, "connected").await?;

    // A long and hostile text does not break the page.
    here.sql(
        "INSERT INTO sync_rejected (tbl, row_id, remote_id, code, field, message, at, since)
         VALUES ('lists', 7, '', 'odd', 'name', '<script>alert(1)</script>' || printf('%.300c', 'x'), 0, 0)",
    )
    .await?;
    browser.says("Not taken by the server").await?;
    every_look(&browser, "attention").await?;
    browser.close().await
}
