// Who asks too often gets a page that says so, how long to wait and what to do,
// in the language asked for; what makes it readable is never refused.
import { startNode } from "../site.mjs";

const words = [
	{ prefix: "", title: "Pedidos demais", wait: /Espere \d+ s/ },
	{ prefix: "/en", title: "Too many requests", wait: /\d+ s/ },
	{ prefix: "/es", title: "Demasiadas solicitudes", wait: /\d+ s/ },
];

export default async function tooMany({ browser, site, binary, screens, themes, languages, open, check, axe, fits, narrowest, desktop }) {
	const node = await startNode(binary, site, ["--rate", "0.01", "--burst", "2"]);
	try {
		for (const path of ["/sobre", "/"]) check((await fetch(node.url + path)).status === 200, `${path}: within the burst`);
		for (const theme of themes) {
			const { page, context } = await open(browser, node.url, { theme: theme.cookie });
			for (const [i, { prefix, title, wait }] of words.entries()) {
				const where = `${prefix}/?q=fictoy beyond the burst (${theme.name})`;
				const answer = await page.goto(`${node.url}${prefix}/?q=fictoy`);
				const seconds = Number(answer.headers()["retry-after"]);
				check(answer.status() === 429 && seconds >= 1 && seconds <= 100, `${where}: ${answer.status()}, Retry-After ${seconds}`);
				check(answer.headers()["cache-control"] === "no-store", `${where}: it may be kept`);
				check((await page.locator("html").getAttribute("lang")) === languages[i].tag, `${where}: lang`);
				check((await page.locator("h1").innerText()) === title && (await page.title()).startsWith(title), `${where}: ${await page.title()}`);
				const text = await page.locator("main").innerText();
				check(wait.test(text), `${where}: does not say how long to wait: ${text}`);
				check((await page.locator("main code").count()) === 1, `${where}: no number of the request`);
				check((await page.locator("main a").count()) > 0, `${where}: nowhere to go`);
				check(await page.evaluate(() => getComputedStyle(document.body).fontFamily.includes("Rawline")), `${where}: its styles are refused`);
				await axe(page, where);
				if (screens && prefix === "") await page.screenshot({ path: `${screens}erro-429-desktop${theme.cookie ? `-${theme.name}` : ""}.png`, fullPage: true });
				await page.setViewportSize(narrowest);
				await fits(page, where);
				await page.setViewportSize(desktop);
			}
			await context.close();
		}
		const refused = await fetch(`${node.url}/api/v1/certificados?q=fictoy`);
		check(refused.status === 429 && refused.headers.get("content-type") === "application/problem+json", `the API refuses with ${refused.status} ${refused.headers.get("content-type")}`);
		check((await fetch(`${node.url}/pronto`)).status === 200, "/pronto is refused");
	} finally {
		await node.stop();
	}
	await patient({ browser, site, binary, open, check });
}

// patient is refused, waits as long as it is told, and gets the page.
async function patient({ browser, site, binary, open, check }) {
	const node = await startNode(binary, site, ["--rate", "0.2", "--burst", "1"]);
	try {
		const { page, context } = await open(browser, node.url, { script: false });
		await Promise.all([1, 2, 3].map(() => fetch(`${node.url}/sobre`)));
		let answer = await page.goto(`${node.url}/sobre`);
		check(answer.status() === 429, `asking without pause gives ${answer.status()}`);
		await page.waitForTimeout(1000 * Number(answer.headers()["retry-after"]));
		answer = await page.reload();
		check(answer.status() === 200, `after the wait it is ${answer.status()}`);
		await context.close();
	} finally {
		await node.stop();
	}
}
