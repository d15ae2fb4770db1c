// Looks at pages in a browser: node look.js NODE_MODULES CHROMIUM NETLOG URL. Prints `ok NAME` or `FAILED NAME: why`.
"use strict";
const [modules, executablePath, netlog, base] = process.argv.slice(2);
const fs = require("fs");
const { chromium } = require(`${modules}/playwright-core`);
const { HtmlValidate } = require(`${modules}/html-validate`);
const axe = fs.readFileSync(`${modules}/axe-core/axe.min.js`, "utf8");
const PAGES = ["all-up", "two-down", "many-down", "stopped", "empty", "hostile", "1000"];
const NOW = Date.parse("2026-11-29T07:12:20Z");
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", `--log-net-log=${netlog}`];

const check = async (name, run) => {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`FAILED ${name}: ${String(error.message || error).replace(/\s*\n\s*/g, " | ")}`);
  }
};
const ensure = (holds, why) => { if (!holds) throw new Error(why); };

(async () => {
  const browser = await chromium.launch({ executablePath, args: flags });
  // A page in a browser of its own, and what it complains of.
  const open = async (name, options = {}, at = NOW) => {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    const page = await context.newPage();
    const said = [];
    page.on("console", message => said.push(message.text()));
    page.on("pageerror", error => said.push(error.message));
    page.on("dialog", dialog => { said.push("a dialog"); dialog.dismiss(); });
    page.on("request", request => {
      if (!request.url().startsWith(base) && !request.url().startsWith("data:")) said.push(`asks ${request.url()}`);
    });
    await page.clock.install({ time: at });
    await page.goto(`${base}/${name}.html`);
    return { context, page, said };
  };

  for (const name of PAGES) {
    for (const [width, colorScheme] of [[320, "light"], [1200, "light"], [1200, "dark"], [3840, "light"]]) {
      if (name === "1000" && width !== 1200) continue;
      await check(`${name}, ${width} px, ${colorScheme}: nothing sticks out, and axe-core finds nothing`, async () => {
        const { context, page, said } = await open(name, { viewport: { width, height: 900 }, colorScheme });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        ensure(wide <= 0, `it is ${wide} px too wide`);
        if (name !== "1000") {
          // The real clock: axe waits by it.
          await page.clock.resume();
          await page.evaluate(axe);
          const { violations } = await page.evaluate(() => axe.run({ resultTypes: ["violations"] }));
          ensure(violations.length === 0, violations.map(v => `${v.id}: ${v.nodes[0].html}`.slice(0, 300)).join("; "));
        }
        ensure(said.length === 0, said.join("; "));
        await context.close();
      });
    }
  }

  await check("strangers' names and reasons are shown and do nothing", async () => {
    const { context, page, said } = await open("hostile");
    await page.mouse.move(300, 500);
    const text = await page.innerText("main");
    for (const shown of ["<script>document.title='owned'</script>", "c --><!-- d", "onerror=\"", "שלום", "W".repeat(240)]) {
      ensure(text.includes(shown), `${shown} is not shown`);
    }
    ensure(await page.title() === "6 down, pulse-echo", await page.title());
    ensure(await page.locator("img, iframe, main script, [onmouseover], [onerror]").count() === 0, "markup of theirs");
    ensure(said.length === 0, said.join("; "));
    await context.close();
  });

  await check("the policy lets no script but the page's own run", async () => {
    const { context, page } = await open("all-up");
    const ran = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'owned'";
      document.body.append(script);
      const image = new Image();
      image.src = "https://example.com/x.png";
      return document.title;
    });
    ensure(ran === "all up, pulse-echo", ran);
    await context.close();
  });

  for (const width of [320, 1200]) await check(`at ${width} px the filter leaves the hosts that fit`, async () => {
    const { context, page } = await open("two-down", { viewport: { width, height: 900 } });
    const rows = () => page.locator(".h tbody:visible").count();
    const down = () => page.locator(".d li:visible").allInnerTexts();
    const all = await rows();
    await page.locator(".q input").fill("web-2");
    const some = await rows();
    ensure(some > 0 && some < all && await page.locator("#db-01").isHidden(), `${some} of ${all}`);
    ensure(await page.innerText(".q output") === `${some} of ${all}`, await page.innerText(".q output"));
    await page.locator(".q input").fill("SILENT");
    ensure(await rows() === 1, `${await rows()} are silent`);
    ensure((await down()).length === 1 && (await down())[0].includes("silent for"), `down: ${await down()}`);
    await page.locator(".q input").fill("");
    ensure(await rows() === all, "not all are back");
    await context.close();
  });

  await check("ages count up, and an old page turns red by the device's own clock", async () => {
    const { context, page } = await open("two-down");
    const age = () => page.locator(".d time").first().innerText();
    const before = await age();
    // 20 s, and what a busy machine took.
    ensure(/^: [2-5]\d s ago by this device’s clock$/.test(await page.innerText(".y")), await page.innerText(".y"));
    await page.clock.fastForward(240_000);
    ensure(await age() !== before, `it is still ${before}`);
    ensure(await page.locator("header").getAttribute("class") === "bad", "it is old too early");
    await page.clock.fastForward(700_000);
    ensure(await page.locator("header").getAttribute("class") === "old", "it is not old");
    ensure((await page.innerText(".w")).startsWith("This page is 16 min old by this device’s clock"), await page.innerText(".w"));
    ensure(await page.title() === "old: 2 down, pulse-echo", await page.title());
    const { page: ahead } = await open("two-down", {}, NOW - 600_000);
    ensure((await ahead.innerText(".y")).includes("9 min ahead of this device’s clock"), await ahead.innerText(".y"));
    await context.close();
  });

  await check("a name leads to its host, and a bar tells its day", async () => {
    const { context, page } = await open("two-down");
    const link = page.locator(".d h3 a").first();
    const host = await link.innerText();
    await link.click();
    ensure(await page.locator(":target").getAttribute("id") === host, `no ${host}`);
    const bars = page.getByRole("img", { name: /Nov: down for/ });
    ensure(await bars.count() > 2, `${await bars.count()} bars with a text`);
    await context.close();
  });

  await check("names have room at every width, and the columns of all rows stand below each other", async () => {
    const { context, page } = await open("two-down");
    for (const width of [320, 600, 895, 897, 1000, 1119, 1121, 1300, 3840]) {
      await page.setViewportSize({ width, height: 900 });
      const [narrowest, places] = await page.evaluate(() => {
        const rows = [...document.querySelectorAll(".h tbody tr")].filter(row => row.querySelector("th[scope=row]"));
        const names = rows.map(row => {
          const name = row.querySelector("th[scope=row]"), style = getComputedStyle(name);
          return name.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
        });
        const windows = rows.map(row => [3, 6].map(at => row.children[at].getBoundingClientRect().left).join(" "));
        return [Math.min(...names), new Set(windows).size];
      });
      ensure(narrowest >= 80, `at ${width} px a name has ${narrowest} px`);
      ensure(places === 1, `at ${width} px there are ${places} columns for one window`);
    }
    await context.close();
  });

  await check("what is out of sight is not laid out, and comes with its link", async () => {
    const { context, page } = await open("1000");
    const isShown = () => page.evaluate(() => [...document.querySelectorAll(".h tbody tr")].at(-1)
      .checkVisibility({ contentVisibilityAuto: true }));
    ensure(!await isShown(), "the last row is laid out");
    const last = await page.evaluate(() => [...document.querySelectorAll(".h tbody")].at(-1).id);
    await page.goto(`${base}/1000.html#${last}`);
    await page.waitForFunction(() => [...document.querySelectorAll(".h tbody tr")].at(-1)
      .checkVisibility({ contentVisibilityAuto: true }));
    ensure(await page.evaluate(() => {
      const { top, bottom } = [...document.querySelectorAll(".h tbody")].at(-1).getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    }), "the link does not lead to its host");
    await context.close();
  });

  await check("without JavaScript it can be read", async () => {
    const { context, page } = await open("two-down", { javaScriptEnabled: false });
    ensure((await page.innerText("main")).includes("status 503, expected 200"), "no sentence");
    ensure(await page.locator(".q").isHidden(), "a filter that does nothing");
    await context.close();
  });

  await check("it can be printed", async () => {
    const { context, page } = await open("two-down");
    const pdf = await page.pdf({ format: "A4", printBackground: true });
    ensure(pdf.length > 10_000 && pdf.subarray(0, 5).toString() === "%PDF-", `${pdf.length} bytes`);
    // A4 without its margins: a check is a line, and no whole area is coloured.
    await page.setViewportSize({ width: 718, height: 1000 });
    await page.emulateMedia({ media: "print" });
    const [height, band] = await page.evaluate(() => [
      document.getElementById("db-01").getBoundingClientRect().height,
      getComputedStyle(document.querySelector("header")).backgroundColor]);
    ensure(height < 40, `a check takes ${height} px`);
    ensure(band === "rgba(0, 0, 0, 0)", `the banner is ${band}`);
    ensure(await page.locator(".q").isHidden(), "a filter on paper");
    await context.close();
  });

  // The picture of README: `PAGE_PICTURE=docs/page.png make e2e`, or `cargo test --test page_e2e` as it does that.
  if (process.env.PAGE_PICTURE) await check("the picture is taken", async () => {
    const { context, page } = await open("two-down", { viewport: { width: 1200, height: 830 } });
    await page.clock.setFixedTime(NOW);
    await page.reload();
    await page.screenshot({ path: process.env.PAGE_PICTURE });
    await context.close();
  });

  await check("html-validate finds nothing", async () => {
    const rules = { "no-inline-style": "error", "valid-id": ["error", { relaxed: true }], "long-title": "off",
      "require-sri": "off", "no-raw-characters": "error", "attribute-boolean-style": "off", "doctype-style": "off",
      "void-style": "off", "prefer-native-element": "off" };
    const validate = new HtmlValidate({ extends: ["html-validate:recommended"], rules });
    for (const name of PAGES) {
      const html = await (await fetch(`${base}/${name}.html`)).text();
      const { results } = await validate.validateString(html);
      const found = results.flatMap(result => result.messages).map(m => `${m.ruleId} at ${m.column}: ${m.message}`);
      ensure(found.length === 0, `${name}: ${[...new Set(found)].slice(0, 5).join("; ")}`);
    }
  });

  await check("first paint of 1,000 checks", async () => {
    const page = await (await browser.newContext({ viewport: { width: 1200, height: 900 } })).newPage();
    await page.goto(`${base}/1000.html`);
    await page.waitForTimeout(500);
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
    ensure(paint > 0, "there is none");
    console.log(`first paint of 1,000 checks: ${Math.round(paint)} ms`);
  });

  await browser.close();
  await check("the browser asked nobody else, by its own log", async () => {
    // What no page has asked for has no origin: the pages themselves, and the browser's own errands.
    const asked = fs.readFileSync(netlog, "utf8").split("\n").filter(line => line.includes('"initiator":'));
    const others = asked.filter(line => !line.includes('"initiator":"not an origin"'));
    ensure(asked.some(line => line.includes(`"url":"${base}/two-down.html"`)), "the log has nothing");
    ensure(others.length === 0, others.slice(0, 5).join(" "));
  });
})().catch(error => {
  console.log(`FAILED the browser: ${error.message}`);
  process.exitCode = 1;
});
