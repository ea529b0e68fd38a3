// Every page can be walked with Tab: the first stop leads to the content, every
// stop is visible and marked, and there is a way out at the end. The themes take
// turns: they differ in colours only, and each is walked on every kind of part.
export default async function keyboard({ browser, site, pages, open, check, themes }) {
	for (const [turn, theme] of themes.entries()) {
		const { page, context } = await open(browser, site, { theme: theme.cookie });
		for (const { path } of pages.filter((_, i) => i % themes.length === turn)) {
			await page.goto(site + path);
			await page.keyboard.press("Tab");
			check((await page.evaluate(() => document.activeElement.hash)) === "#conteudo", `${path}: the first stop is the link to the content`);
			await page.keyboard.press("Enter");
			check((await page.evaluate(() => document.activeElement.id)) === "conteudo", `${path}: the link goes to the content`);
			await page.goto(site + path);
			let stops = 0;
			for (; stops < 500; stops++) {
				await page.keyboard.press("Tab");
				const stop = await page.evaluate(() => {
					const e = document.activeElement;
					if (e === document.body || e === null) return null;
					const style = getComputedStyle(e);
					const box = e.getBoundingClientRect();
					return {
						html: e.outerHTML.slice(0, 120),
						marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
						seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
					};
				});
				if (stop === null) break;
				check(stop.marked, `${path}: focus is not marked on ${stop.html}`);
				check(stop.seen, `${path}: focus is out of sight on ${stop.html}`);
			}
			check(stops > 5 && stops < 500, `${path}: ${stops} stops`);
		}
		await context.close();
	}
}
