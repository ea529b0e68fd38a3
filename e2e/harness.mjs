// Looks at every page of pages.mjs in every theme and language with axe-core
// and runs checks/*.mjs. Ends with 1 when anything is wrong. With --screens it
// also takes the pictures of docs/screens; --only leaves out what does not hold
// the text in its path or, for checks, in its file's name.
//
//   node harness.mjs [--binary ../bin/selo] [--screens] [--only TEXT]
import { mkdir, readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { languages, pages, themes } from "./pages.mjs";
import { startBrowser, startSite } from "./site.mjs";

const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const screens = new URL("../docs/screens/", import.meta.url).pathname;

const { values: options } = parseArgs({
	options: {
		binary: { type: "string", default: new URL("../bin/selo", import.meta.url).pathname },
		screens: { type: "boolean", default: false },
		only: { type: "string", default: "" },
	},
});

const workers = 3;
const patience = 120_000; // ms: a busy machine may take long over one thing, and is no failure

const desktop = { width: 1280, height: 800 };
const phone = { width: 360, height: 740 };
const narrowest = { width: 320, height: 640 };

const wrong = [];
let passed = 0;

// check notes whether something holds. A check tells what and where.
function check(holds, what) {
	if (holds) passed++;
	else {
		wrong.push(what);
		console.error(`✗ ${what}`);
	}
}

// open makes a tab that looks as asked and notes what the browser complains about.
async function open(browser, url, { theme, viewport = desktop, script = true } = {}) {
	const context = await browser.newContext({ viewport, javaScriptEnabled: script, reducedMotion: "reduce" });
	context.setDefaultTimeout(patience);
	if (theme) await context.addCookies([{ name: "aparencia", value: theme, url }]);
	const page = await context.newPage();
	// A browser reports every answer of 400 and above as an error of the console.
	page.on("console", (m) => {
		if (m.type() === "error" && !m.text().startsWith("Failed to load resource")) check(false, `${page.url()}: ${m.text()}`);
	});
	page.on("pageerror", (e) => check(false, `${page.url()}: ${e.message}`));
	return { page, context };
}

// violationsOn gives what breaks WCAG 2.2 AA or good practice on a page.
async function violationsOn(page) {
	await page.evaluate(axeSource); // from outside the page, past its policy
	const { violations } = await page.evaluate(() => window.axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
	}));
	return violations;
}

// axe checks that nothing on a page breaks a rule.
async function axe(page, where) {
	const violations = await violationsOn(page);
	for (const v of violations) {
		for (const node of v.nodes) check(false, `${where}: ${v.id}: ${v.help}: ${node.html} ${node.failureSummary ?? ""}`);
	}
	check(violations.length === 0, `${where}: axe`);
}

// isState tells whether an entry is a state of a page that has an entry of its
// own: states are looked at in Portuguese, in both themes and on all widths.
function isState(entry) {
	return entry.path.includes("?") && !entry.whole;
}

// look goes over one page in one theme, in all languages.
async function look(browser, site, entry, theme) {
	const { page, context } = await open(browser, site, { theme: theme.cookie });
	for (const language of isState(entry) ? languages.slice(0, 1) : languages) {
		const where = `${language.prefix}${entry.path} (${theme.name})`;
		const answer = await page.goto(site + language.prefix + entry.path);
		check(answer.status() === (entry.status ?? 200), `${where}: status ${answer.status()}`);
		check((await page.locator("html").getAttribute("lang")) === language.tag, `${where}: lang`);
		check((await page.locator("h1").count()) === 1, `${where}: one h1`);
		check(!/\[[a-z_]+\.[a-z_.]+\]/.test(await page.locator("body").innerText()), `${where}: a text is missing`);
		await axe(page, where);
		if (language.prefix === "") await widths(page, entry, theme, where);
	}
	await context.close();
}

// widths checks that nothing is cut off on small screens, and takes pictures.
async function widths(page, entry, theme, where) {
	const picture = async (size) => {
		if (options.screens && (size === "desktop" || !theme.cookie)) {
			const suffix = theme.cookie ? `-${theme.name}` : "";
			const { width, height } = await page.evaluate(() => ({ width: innerWidth, height: document.documentElement.scrollHeight }));
			const clip = { x: 0, y: 0, width, height: Math.min(height, entry.tallest ?? height) };
			await page.screenshot({ path: `${screens}${entry.name}-${size}${suffix}.png`, fullPage: true, clip });
		}
	};
	await picture("desktop");
	await page.setViewportSize(phone);
	await picture("celular");
	await axe(page, `${where} ${phone.width} px`);
	await page.setViewportSize(narrowest);
	await fits(page, `${where} ${narrowest.width} px`);
	await page.setViewportSize(desktop);
}

// fits checks that the page needs no scrolling to the side.
async function fits(page, where) {
	const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
	check(over <= 0, `${where}: ${over} px too wide`);
}

// together runs tasks beside each other, a few at a time: a page that waits for
// the site leaves the processor to another. A task that throws is a failure of
// its own and ends no other.
async function together(tasks) {
	const queue = [...tasks];
	const work = async () => {
		for (let task = queue.shift(); task; task = queue.shift()) {
			const started = Date.now();
			await task.run().catch((error) => check(false, `${task.name}: ${error.stack}`));
			const seconds = Math.round((Date.now() - started) / 1000);
			if (seconds >= 10) console.log(`${task.name}: ${seconds} s`);
		}
	};
	await Promise.all(Array.from({ length: workers }, work));
}

const site = await startSite(options.binary);
const chrome = await startBrowser();
try {
	await mkdir(screens, { recursive: true });
	const looks = pages.filter((p) => p.path.includes(options.only)).flatMap((entry) => themes.map((theme) => ({
		name: `${entry.path} (${theme.name})`,
		run: () => look(chrome.browser, site.url, entry, theme),
	})));
	const folder = new URL("./checks/", import.meta.url);
	const files = (await readdir(folder)).filter((name) => name.endsWith(".mjs") && name.includes(options.only)).sort();
	const given = { browser: chrome.browser, site: site.url, binary: options.binary, screens: options.screens ? screens : "", pages: pages.filter((p) => !isState(p)), states: pages, themes, languages, open, check, axe, violationsOn, fits, desktop, phone, narrowest };
	const checks = files.map((name) => ({ name, run: async () => (await import(new URL(name, folder))).default(given) }));
	await together([...checks, ...looks]);
} finally {
	await chrome.stop();
	await site.stop();
}
console.log(`${passed} checks hold, ${wrong.length} do not`);
process.exitCode = wrong.length > 0 ? 1 : 0;
