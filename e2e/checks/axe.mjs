// The check of accessibility itself: planted mistakes are found.
export default async function planted({ browser, site, open, check, violationsOn }) {
	const { page, context } = await open(browser, site);
	await page.goto(`${site}/sobre`);
	await page.evaluate(() => {
		const main = document.querySelector("main");
		main.append(document.createElement("input"), new Image());
		const pale = document.createElement("p");
		pale.className = "br-tag warning";
		pale.style.color = "rgb(255, 255, 255)";
		pale.textContent = "pale";
		main.append(pale);
	});
	const found = (await violationsOn(page)).map((v) => v.id);
	for (const rule of ["label", "image-alt", "color-contrast"]) check(found.includes(rule), `a planted mistake is found: ${rule}`);
	await context.close();
}
