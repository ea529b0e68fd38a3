// What tools and readers know a page by: a title of its own in every language,
// the language of the page and of what is not in it, and the three links that
// skip.
export default async function heads({ browser, site, pages, languages, open, check }) {
	const { page, context } = await open(browser, site);
	const titles = new Map();
	for (const language of languages) {
		for (const { path, status = 200 } of pages) {
			const where = `${language.prefix}${path}`;
			await page.goto(site + where);
			const head = await page.evaluate(headOf);
			if (status === 200) { // failures are called by what went wrong
				const known = `${language.tag}: ${head.title}`;
				const place = placeOf(path);
				check((titles.get(known) ?? place) === place, `${where} is called like ${titles.get(known)}: ${head.title}`);
				titles.set(known, place);
			}
			check(head.title.endsWith(" — Selo") && head.title.length <= 120, `${where}: title ${head.title}`);
			check(head.lang === language.tag, `${where}: in ${head.lang}`);
			check(JSON.stringify(head.others) === JSON.stringify(languages.map((l) => [l.tag, l.tag])), `${where}: the links to other languages are ${JSON.stringify(head.others)}`);
			check(head.current === language.tag, `${where}: the menu of languages is at ${head.current}`);
			for (const tag of head.langs) check(/^(pt-BR|en|es)$/.test(tag), `${where}: lang ${tag}`);
			check(head.landmarks.main === 1 && head.landmarks.header === 1 && head.landmarks.footer === 1, `${where}: landmarks ${JSON.stringify(head.landmarks)}`);
			for (const order of head.jumps) check(false, `${where}: headings jump: ${order}`);
		}
	}
	for (const { path } of pages) await skips({ page, site, check }, path);
	await context.close();
}

// placeOf is what a title stands for: the page, and on the first one what is
// searched. Filters, order and look are the same place.
function placeOf(path) {
	const { pathname, searchParams } = new URL(path, "http://selo.example");
	return pathname === "/" ? `/?q=${searchParams.get("q") ?? ""}` : pathname;
}

function headOf() {
	const links = [...document.querySelectorAll("nav.languages a")];
	const levels = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter((e) => e.checkVisibility()).map((e) => Number(e.tagName[1]));
	return {
		title: document.title,
		lang: document.documentElement.lang,
		langs: [...document.querySelectorAll("[lang]")].map((e) => e.lang),
		others: links.map((a) => [a.lang, a.hreflang]),
		current: links.find((a) => a.getAttribute("aria-current"))?.lang,
		landmarks: Object.fromEntries(["main", "header", "footer"].map((tag) => [tag, document.querySelectorAll(`body > ${tag}, body > .container > ${tag}`).length])),
		jumps: levels.slice(1).flatMap((level, i) => (level > levels[i] + 1 ? [`h${levels[i]}, h${level}`] : [])),
	};
}

// skips presses each of the first links of a page: it becomes visible when it
// has the focus, and the next stop lies where it leads.
async function skips({ page, site, check }, path) {
	for (const [i, target] of ["conteudo", "menu", "rodape"].entries()) {
		await page.goto(site + path);
		for (let n = 0; n <= i; n++) await page.keyboard.press("Tab");
		const link = await page.evaluate(() => {
			const box = document.activeElement.getBoundingClientRect();
			return { hash: document.activeElement.hash, seen: box.top >= 0 && box.left >= 0 && box.height > 10 && box.bottom <= innerHeight };
		});
		check(link.hash === `#${target}` && link.seen, `${path}: stop ${i + 1} is ${JSON.stringify(link)}`);
		await page.keyboard.press("Enter");
		await page.keyboard.press("Tab");
		const inside = await page.evaluate((id) => {
			const place = document.getElementById(id);
			const now = document.activeElement;
			return now === document.body || place.contains(now) || Boolean(place.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_FOLLOWING);
		}, target);
		check(inside, `${path}: after the link to #${target} the focus is elsewhere`);
	}
}
