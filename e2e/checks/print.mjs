// On paper every page is its content: dark on white whatever the screen looks
// like, nothing that only a screen needs, nothing cut at the edge of an A4 sheet.
const pictured = ["busca-lista", "certificado"];
const sheet = { width: 680, height: 960 }; // CSS pixels between margins of 15 mm

export default async function print({ browser, site, pages, open, check, themes, screens }) {
	for (const theme of themes) {
		const { page, context } = await open(browser, site, { theme: theme.cookie, viewport: sheet });
		await page.emulateMedia({ media: "print" });
		for (const { name, path, sheets: most = 12 } of pages) {
			const where = `${path} on paper (${theme.name})`;
			await page.goto(site + path);
			const paper = await page.evaluate(onPaper);
			check(paper.background === "rgb(255, 255, 255)" || paper.background === "rgba(0, 0, 0, 0)", `${where}: on ${paper.background}`);
			check(paper.over <= 0, `${where}: ${paper.over} px too wide`);
			for (const what of paper.screenOnly) check(false, `${where}: prints ${what}`);
			for (const what of paper.pale) check(false, `${where}: too pale to read: ${what}`);
			check(await page.locator("h1").isVisible(), `${where}: no title`);
			if (theme.cookie) continue;
			const file = await page.pdf({ format: "A4", margin: { top: "15mm", bottom: "15mm", left: "15mm", right: "15mm" } });
			const sheets = file.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
			check(sheets >= 1 && sheets <= most, `${where}: ${sheets} sheets`);
			if (screens && pictured.includes(name)) await page.screenshot({ path: `${screens}${name}-papel.png`, fullPage: true });
		}
		await context.close();
	}
}

// onPaper looks at a page that is drawn for paper.
function onPaper() {
	const luminance = (colour) => {
		const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const texts = [...document.querySelectorAll("main *")].filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim() !== "") && !e.closest(".sr-only, svg"));
	return {
		background: getComputedStyle(document.body).backgroundColor,
		over: document.documentElement.scrollWidth - window.innerWidth,
		screenOnly: [...document.querySelectorAll(".br-skiplink, .header-tools, .header-menu, .br-breadcrumb, main form, .pagination, video")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height > 0).map((e) => e.outerHTML.slice(0, 120)),
		pale: texts.filter((e) => 1.05 / (luminance(getComputedStyle(e).color) + 0.05) < 4.5 && getComputedStyle(e).backgroundColor === "rgba(0, 0, 0, 0)").map((e) => e.outerHTML.slice(0, 120)),
	};
}
