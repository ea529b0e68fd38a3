// The largest text fits the narrowest screen, and who needs contrast gets
// there with the keyboard alone and stays there.
export default async function reading({ browser, site, states, open, check, axe, fits, narrowest }) {
	const { page, context } = await open(browser, site, { theme: ".3", viewport: narrowest });
	for (const { path } of states) {
		const where = `${path} with the largest text on ${narrowest.width} px`;
		await page.goto(site + path);
		check((await page.evaluate(() => getComputedStyle(document.documentElement).fontSize)) === "24px", `${where}: another size`);
		await fits(page, where);
		for (const cut of await page.evaluate(cutOff)) check(false, `${where}: cut off: ${cut}`);
		await axe(page, where);
	}
	await context.close();
	for (const script of [true, false]) await byKeyboard({ browser, site, open, check, axe }, script);
}

// cutOff finds text that its box hides.
function cutOff() {
	return [...document.querySelectorAll("main *, header *, footer *")].filter((e) => {
		if (["INPUT", "TEXTAREA", "SELECT"].includes(e.tagName)) return false; // what was typed scrolls
		if (e.childElementCount > 0 && ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim() !== "")) return false;
		const style = getComputedStyle(e);
		if (!e.checkVisibility() || e.classList.contains("sr-only") || e.closest(".sr-only") || style.clipPath !== "none") return false;
		return ["hidden", "clip"].includes(style.overflowX) && e.scrollWidth > e.clientWidth + 1 && style.textOverflow !== "ellipsis";
	}).map((e) => e.outerHTML.slice(0, 160));
}

const black = "rgb(0, 0, 0)";

// byKeyboard turns the contrast on, searches, reads a certificate and turns it
// off again, and never touches the mouse.
async function byKeyboard({ browser, site, open, check, axe }, script) {
	const how = `by keyboard ${script ? "with" : "without"} script`;
	const { page, context } = await open(browser, site, { script });
	const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor).catch(() => ""); // on its way to another page
	const becomes = async (colour, when) => {
		for (let i = 0; i < 100 && (await background()) !== colour; i++) await page.waitForTimeout(50);
		check((await background()) === colour, `${how}: it is ${await background()} ${when}`);
	};
	const tabTo = async (what, is) => {
		for (let i = 0; i < 200; i++) {
			await page.keyboard.press("Tab");
			if (await page.evaluate(is)) return;
		}
		check(false, `${how}: Tab does not reach ${what}`);
	};
	await page.goto(site);
	await tabTo("the contrast button", () => document.activeElement.value === "contraste");
	await page.keyboard.press(script ? "Enter" : "Space");
	await becomes(black, "after the button");
	await tabTo("the search", () => document.activeElement.id === "q");
	await page.keyboard.type("trenzinho");
	await page.keyboard.press("Enter");
	await page.waitForURL(/q=trenzinho/);
	await becomes(black, "among the results");
	await tabTo("a hit", () => document.activeElement.closest(".hit") !== null && document.activeElement.tagName === "A");
	await page.keyboard.press("Enter");
	await page.waitForURL(/\/certificados\//);
	await becomes(black, "on the certificate");
	if (script) await axe(page, `a certificate in contrast ${how}`); // axe needs timers
	await tabTo("the button back", () => document.activeElement.value === "claro");
	await page.keyboard.press("Enter");
	await becomes("rgb(255, 255, 255)", "in the end");
	check(page.url().includes("/certificados/"), `${how}: the button leads away, to ${page.url()}`);
	await context.close();
}
