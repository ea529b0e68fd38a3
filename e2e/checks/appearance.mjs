// Contrast and text size work with script and without, last for the next page,
// and follow the browser's wish until the visitor chooses.
export default async function appearance({ browser, site, open, check, fits, narrowest }) {
	const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const size = (page) => page.evaluate(() => getComputedStyle(document.documentElement).fontSize);
	const black = "rgb(0, 0, 0)";
	const white = "rgb(255, 255, 255)";

	for (const script of [true, false]) {
		const how = script ? "with script" : "without script";
		const { page, context } = await open(browser, site, { script, viewport: narrowest });
		await page.goto(`${site}/en/sobre?a=1`);
		check((await background(page)) === white, `${how}: light at first`);
		const press = async (name) => {
			const changed = script ? page.waitForResponse((r) => r.url().includes("/aparencia.css")) : page.waitForEvent("load");
			await page.getByRole("button", { name, exact: true }).click();
			await changed;
		};
		await press("High contrast");
		await page.getByRole("button", { name: "Normal contrast" }).waitFor();
		check((await background(page)) === black, `${how}: black after the button`);
		check(page.url() === `${site}/en/sobre?a=1`, `${how}: back on ${page.url()}`);
		if (script) {
			await page.waitForFunction(() => document.activeElement.value === "claro");
			check((await page.getByRole("status").innerText()) !== "", "the change is announced");
		}
		for (const wanted of ["18.4px", "20.8px", "24px"]) {
			await press("Larger text");
			await page.waitForFunction((w) => getComputedStyle(document.documentElement).fontSize === w, wanted).catch(() => {});
			check((await size(page)) === wanted, `${how}: text of ${await size(page)}, not ${wanted}`);
		}
		await page.goto(`${site}/acessibilidade`);
		check((await background(page)) === black && (await size(page)) === "24px", `${how}: the next page looks the same`);
		await fits(page, `/acessibilidade at 150 % on ${narrowest.width} px ${how}`);
		await context.close();
	}

	const context = await browser.newContext({ contrast: "more" });
	const page = await context.newPage();
	await page.goto(`${site}/sobre`);
	check((await background(page)) === black, "a browser that wants contrast gets it");
	await page.getByRole("button", { name: "Contraste normal" }).click();
	await page.getByRole("button", { name: "Alto contraste" }).waitFor();
	check((await background(page)) === white, "the visitor's choice wins over the browser's");
	await context.close();
}
