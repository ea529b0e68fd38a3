// A first visit stays light, and nothing is asked of other sites.
const limit = 150 * 1024; // bytes on the wire

export default async function weight({ browser, site, pages, open, check }) {
	for (const { path } of pages) {
		const { page, context } = await open(browser, site);
		const session = await context.newCDPSession(page);
		let bytes = 0;
		await session.send("Network.enable");
		session.on("Network.loadingFinished", (e) => (bytes += e.encodedDataLength));
		page.on("request", (r) => check(r.url().startsWith(site), `${path}: asks ${r.url()}`));
		await page.goto(site + path, { waitUntil: "networkidle" });
		console.log(`${path}: ${Math.round(bytes / 1024)} KB on a first visit`);
		check(bytes <= limit, `${path}: ${bytes} bytes on a first visit`);
		await context.close();
	}
}
