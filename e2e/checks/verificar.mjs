// The page that verifies: typed questions with script and without, the camera
// with a film in its place, a photo, and what happens when there is no camera.
// The camera's pictures are decoded for real, by the vendored reader; Debian's
// Chromium has no BarcodeDetector, so one that answers as its standard says is
// put in to see that it is preferred.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBrowser } from "../site.mjs";
import { bars, ean13, ean8, film, itf14, nothing, square } from "../video.mjs";

const toy = "2990000000019"; // Fictoy Trenzinho FT-10, covered
const certificate = "/certificados/DEMO/DEMO-BRIN-108%2F25.001";

const words = [
	{ prefix: "", brand: "Marca", model: "Modelo", go: "Verificar", yes: "Sim, este produto está coberto", holds: "Certificado: vale", camera: "Ler com a câmera" },
	{ prefix: "/en", brand: "Brand", model: "Model", go: "Verify", yes: "Yes, this product is covered", holds: "Certificate: holds", camera: "Scan with the camera" },
	{ prefix: "/es", brand: "Marca", model: "Modelo", go: "Verificar", yes: "Sí, este producto está cubierto", holds: "Certificado: vale", camera: "Leer con la cámara" },
];

export default async function verify(e2e) {
	for (const language of words) {
		for (const script of [true, false]) await typed(e2e, language, script);
	}
	await mistakes(e2e);
	await keyboard(e2e);
	await noCamera(e2e);
	await withCamera(e2e);
}

const answer = (page) => page.locator("#resposta").innerText();

// typed asks by brand and model on a phone and on a desktop.
async function typed({ browser, site, open, check, phone, fits }, language, script) {
	const where = `${language.prefix}/verificar ${script ? "with" : "without"} script`;
	const { page, context } = await open(browser, site, { script, viewport: script ? undefined : phone });
	await page.goto(`${site}${language.prefix}/verificar`);
	check((await page.getByRole("button", { name: language.camera }).isVisible()) === script, `${where}: the camera is offered with script only`);
	await page.getByLabel(language.brand, { exact: true }).fill("FICTOY");
	await page.getByLabel(language.model, { exact: true }).fill("trenzinho ft 10");
	await page.getByRole("main").getByRole("button", { name: language.go, exact: true }).click();
	await page.waitForURL(/marca=FICTOY/);
	check((await answer(page)) === language.yes, `${where}: ${await answer(page)}`);
	check((await page.locator(".level").allInnerTexts()).join("\n").includes(language.holds), `${where}: the levels are told`);
	check((await page.getByLabel(language.model, { exact: true }).inputValue()) === "trenzinho ft 10", `${where}: the question is kept`);
	if (script) check(!page.url().includes("gtin="), `${where}: the address holds nothing empty: ${page.url()}`);
	await fits(page, where);
	const shared = await page.locator("#agora ~ p a").last().getAttribute("href");
	await page.goto(site + shared);
	check((await answer(page)) === language.yes, `${where}: the address alone gives the answer`);
	await page.locator(".verify-card h3 a").click();
	await page.waitForURL(/\/certificados\//);
	await page.goBack();
	check((await answer(page)) === language.yes, `${where}: back to the answer`);
	await context.close();
}

// mistakes are told at their field; what is not found leads on.
async function mistakes({ browser, site, open, check }) {
	const { page, context } = await open(browser, site, { script: false });
	await page.goto(`${site}/verificar?gtin=2990000000018`);
	const field = page.locator("#gtin");
	check((await field.getAttribute("aria-invalid")) === "true" && (await field.inputValue()) === "2990000000018", "a wrong check digit: the field is marked and kept");
	check(/dígito verificador.*Regra: GS1.*Confira/s.test(await page.locator("#gtin-erro").innerText()), "a wrong check digit: what, rule and remedy are said");
	await page.getByRole("link", { name: "Número abaixo das barras" }).click();
	check(page.url().endsWith("#gtin"), "the summary leads to the field");
	await page.goto(`${site}/verificar?marca=fictoi&modelo=trenzinho`);
	await page.getByRole("link", { name: "Fictoy Trenzinho FT-10" }).click();
	await page.waitForURL(/marca=Fictoy/);
	check((await answer(page)).startsWith("Sim"), "the near match leads to the answer");
	await page.goto(`${site}/verificar?numero=demo+plug+233+24`);
	check((await answer(page)).startsWith("Não") && (await page.locator(".verdict").innerText()).includes("suspenso"), "a suspended certificate: no, and why");
	await page.goto(`${site}/verificar?qr=${encodeURIComponent(`https://selo.example.net${certificate}`)}`);
	check((await page.locator("main").innerText()).includes("pode ser falso") && !(await answer(page)).startsWith("Sim"), "a QR code of another site is no plain yes");
	await context.close();
}

async function keyboard({ browser, site, open, check }) {
	const { page, context } = await open(browser, site);
	await page.goto(`${site}/verificar`);
	await page.locator("#marca").focus();
	await page.keyboard.type("Mentirex");
	await page.keyboard.press("Tab");
	await page.keyboard.type("TM-10");
	await page.keyboard.press("Enter");
	await page.waitForURL(/modelo=TM-10/);
	check((await answer(page)).startsWith("Não"), `by keyboard: ${await answer(page)}`);
	await context.close();
}

// noCamera runs where no camera is, as on this machine.
async function noCamera({ browser, site, open, check }) {
	const { page, context } = await open(browser, site);
	await context.grantPermissions(["camera"], { origin: site });
	await page.goto(`${site}/verificar`);
	await page.getByRole("button", { name: "Ler com a câmera" }).click();
	await page.locator(".camera-said", { hasText: "não tem câmera" }).waitFor();
	await page.getByRole("button", { name: "Fechar a câmera" }).click();
	check(!(await page.locator("#camera").isVisible()), "without a camera: the viewfinder closes");
	await context.close();
}

// withCamera runs a browser whose camera plays a film, which is written anew
// before each opening.
async function withCamera({ site, open, check, axe, fits, themes, phone, screens }) {
	const folder = await mkdtemp(join(tmpdir(), "selo-film-"));
	const path = join(folder, "camera.y4m");
	await film(path, bars(ean13("2990000000018"))); // a wrong check digit is not read
	const chrome = await startBrowser(["--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${path}`,
		"--host-resolver-rules=MAP selo.test 127.0.0.1"]);
	const e2e = { browser: chrome.browser, site, open, check, axe, fits, path, folder, screens };
	try {
		for (const theme of themes) {
			await looking(e2e, theme, phone);
			await looking(e2e, theme);
		}
		await film(path, bars(ean13(toy)));
		for (const language of words) {
			await scanned(e2e, language, "EAN-13", (page) => page.waitForURL(new RegExp(`gtin=${toy}$`)), language.yes);
		}
		await film(path, bars(ean8("96385074"), 4));
		await scanned(e2e, words[0], "EAN-8", (page) => page.waitForURL(/gtin=96385074/), "Não: nenhum certificado publicado traz este código de barras");
		await film(path, bars(itf14("12990000000016"), 2));
		await scanned(e2e, words[0], "ITF-14", (page) => page.waitForURL(/gtin=12990000000016/), "Não: nenhum certificado publicado traz este código de barras");
		const qr = await codeOf(e2e);
		await film(path, qr);
		await scanned(e2e, words[0], "QR", (page) => page.waitForURL(/qr=/), "Sim, este certificado está em vigor", "Este QR leva ao registro");
		await refused(e2e);
		await torch(e2e);
		await noReader(e2e);
		await detector(e2e);
		await foreign(e2e);
		await photo(e2e);
		await insecure(e2e);
	} finally {
		await chrome.stop();
		await rm(folder, { recursive: true, force: true });
	}
}

// camera opens the page and the viewfinder.
async function camera({ browser, site, open }, language, options = {}) {
	const { page, context } = await open(browser, site, options);
	await context.grantPermissions(["camera"], { origin: site });
	await page.goto(`${site}${language.prefix}/verificar`);
	await page.getByRole("button", { name: language.camera }).click();
	return { page, context };
}

// looking is the open viewfinder before anything is found.
async function looking(e2e, theme, viewport) {
	const { check, axe, fits, screens } = e2e;
	const { page, context } = await camera(e2e, words[0], { theme: theme.cookie, viewport });
	await page.locator(".camera-said", { hasText: "Procurando" }).waitFor();
	check(await page.locator("#camera video").evaluate((v) => v.videoWidth > 0 && !v.paused), `camera (${theme.name}): the picture runs`);
	await axe(page, `camera (${theme.name})`);
	await fits(page, `camera (${theme.name})`);
	const size = viewport ? "celular" : "desktop";
	if (screens && (!viewport || !theme.cookie)) await page.screenshot({ path: `${screens}verificar-camera-${size}${theme.cookie ? `-${theme.name}` : ""}.png` });
	const box = await page.getByRole("button", { name: "Fechar a câmera" }).boundingBox();
	check(box.y + box.height <= page.viewportSize().height, `camera (${theme.name}): the button is in sight`);
	const track = await page.evaluateHandle(() => document.querySelector("#camera video").srcObject.getTracks()[0]);
	await page.keyboard.press("Escape");
	// The page hears of a dialog's closing a moment later.
	const off = await page.waitForFunction((t) => t.readyState === "ended", track, { timeout: 10_000 }).catch(() => null);
	check(off !== null, `camera (${theme.name}): Escape switches the camera off`);
	check(await page.evaluate(() => document.activeElement.hasAttribute("data-camera")), `camera (${theme.name}): the focus goes back to its button`);
	await context.close();
}

// scanned reads what the film shows and looks at the answer.
async function scanned(e2e, language, name, arrived, said, besides = "") {
	const { page, context } = await camera(e2e, language);
	await arrived(page);
	e2e.check((await answer(page)) === said, `${name} by camera${language.prefix}: ${await answer(page)}`);
	e2e.check((await page.locator("main").innerText()).includes(besides), `${name} by camera: says ${besides}`);
	await page.goBack();
	e2e.check(!(await page.locator("#camera").isVisible()) && (await page.locator("#gtin").isEnabled()), `${name}: going back gives a usable form`);
	await context.close();
}

// codeOf draws the site's own QR code of a certificate as the camera would see it.
async function codeOf({ browser, site, open }) {
	const { page, context } = await open(browser, site);
	await page.goto(`${site}/verificar`);
	const side = 400;
	const grey = await page.evaluate(async ({ src, side }) => {
		const picture = new Image();
		picture.src = src;
		await picture.decode();
		const canvas = document.createElement("canvas");
		canvas.width = canvas.height = side;
		const brush = canvas.getContext("2d");
		brush.drawImage(picture, 0, 0, side, side);
		return [...brush.getImageData(0, 0, side, side).data].filter((_, i) => i % 4 === 0);
	}, { src: `${certificate}/qr.png`, side });
	await context.close();
	return square(grey, side);
}

async function refused({ browser, site, open, check, axe }) {
	const { page, context } = await open(browser, site);
	await page.goto(`${site}/verificar`);
	await page.getByRole("button", { name: "Ler com a câmera" }).click();
	await page.locator(".camera-said", { hasText: "não foi permitido" }).waitFor();
	await axe(page, "camera refused");
	await context.close();
	const busy = await open(browser, site);
	await busy.page.addInitScript(() => {
		navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("in use", "NotReadableError"); };
	});
	await busy.page.goto(`${site}/verificar`);
	await busy.page.getByRole("button", { name: "Ler com a câmera" }).click();
	await busy.page.locator(".camera-said", { hasText: "ocupada" }).waitFor();
	check(true, "a busy camera is told");
	await busy.context.close();
}

// torch is offered where the camera has a light.
async function torch({ browser, site, open, check, path, axe }) {
	await film(path, nothing());
	const { page, context } = await open(browser, site);
	await context.grantPermissions(["camera"], { origin: site });
	await page.addInitScript(() => {
		window.asked = [];
		MediaStreamTrack.prototype.getCapabilities = () => ({ torch: true });
		MediaStreamTrack.prototype.applyConstraints = async (wanted) => window.asked.push(wanted.advanced[0].torch);
	});
	await page.goto(`${site}/verificar`);
	await page.getByRole("button", { name: "Ler com a câmera" }).click();
	const light = page.getByRole("button", { name: "Luz" });
	await light.click();
	check((await light.getAttribute("aria-pressed")) === "true", "the light is on");
	await axe(page, "camera with light");
	await light.click();
	check((await light.getAttribute("aria-pressed")) === "false" && (await page.evaluate(() => window.asked.join())) === "true,false", "the light is off");
	await context.close();
}

// noReader is a connection that breaks before the vendored reader has come; the
// next try loads it again.
async function noReader({ browser, site, open, check, path }) {
	await film(path, bars(ean13(toy)));
	const { page, context } = await open(browser, site);
	await context.grantPermissions(["camera"], { origin: site });
	await page.route("**/zxing*", (route) => route.abort());
	await page.goto(`${site}/verificar`);
	await page.getByRole("button", { name: "Ler com a câmera" }).click();
	await page.locator(".camera-said", { hasText: "não carregou" }).waitFor();
	await page.unroute("**/zxing*");
	await page.getByRole("button", { name: "Fechar a câmera" }).click();
	await page.getByRole("button", { name: "Ler com a câmera" }).click();
	await page.waitForURL(new RegExp(`gtin=${toy}$`));
	check(true, "a reader that did not load is loaded again");
	await context.close();
}

// detector answers as the Shape Detection draft says and must be preferred.
async function detector(e2e) {
	await film(e2e.path, nothing());
	const asked = [];
	const { page, context } = await e2e.open(e2e.browser, e2e.site);
	page.on("request", (r) => asked.push(r.url()));
	await context.grantPermissions(["camera"], { origin: e2e.site });
	await page.addInitScript((code) => {
		window.BarcodeDetector = class {
			static async getSupportedFormats() {
				return ["aztec", "ean_13", "ean_8", "itf", "qr_code", "upc_a"];
			}
			constructor({ formats }) {
				this.formats = formats;
			}
			async detect(picture) {
				if (!(picture instanceof HTMLCanvasElement) || !this.formats.includes("ean_13")) throw new TypeError("not a picture");
				return [{ format: "itf", rawValue: "299000", cornerPoints: [] }, { format: "ean_13", rawValue: code, cornerPoints: [] }];
			}
		};
	}, toy);
	await page.goto(`${e2e.site}/verificar`);
	await page.getByRole("button", { name: "Ler com a câmera" }).click();
	await page.waitForURL(new RegExp(`gtin=${toy}$`));
	e2e.check((await answer(page)) === words[0].yes, "the browser's own detector is used");
	e2e.check(!asked.some((url) => url.includes("zxing")), "the vendored reader is not loaded where it is not needed");
	await context.close();
}

// foreign shows QR codes that name no certificate: they are told of and not sent.
// One that leads to a certificate's page at another host is sent and judged.
async function foreign(e2e) {
	await film(e2e.path, nothing());
	const asked = [];
	const { page, context } = await e2e.open(e2e.browser, e2e.site);
	page.on("request", (r) => asked.push(r.url()));
	await context.grantPermissions(["camera"], { origin: e2e.site });
	await page.addInitScript(() => {
		window.BarcodeDetector = class {
			static async getSupportedFormats() {
				return ["ean_13", "ean_8", "itf", "qr_code", "upc_a"];
			}
			async detect() {
				return window.square ? [{ format: "qr_code", rawValue: window.square }] : [];
			}
		};
	});
	await page.goto(`${e2e.site}/verificar`);
	await page.getByRole("button", { name: "Ler com a câmera" }).click();
	for (const text of ["WIFI:S:casa;T:WPA;P:segredo1;;", "https://loja.example/p/1?de=/certificados/", "BEGIN:VCARD\nTEL:1\nEND:VCARD", "9".repeat(201)]) {
		await page.evaluate((text) => {
			document.querySelector(".camera-said").textContent = "";
			window.square = text;
		}, text);
		await page.locator(".camera-said", { hasText: "não foi enviado" }).waitFor();
	}
	e2e.check(!asked.some((url) => url.includes("qr=")), `a QR code that names no certificate is not sent: ${asked.join(" ")}`);
	await page.evaluate((text) => { window.square = text; }, `https://selo.example.net${certificate}`);
	await page.waitForURL(/qr=/);
	e2e.check((await page.locator("main").innerText()).includes("pode ser falso"), "a QR code of a certificate at another host is sent and judged");
	await context.close();
}

// photo reads a picture from a file, of a code and of nothing.
async function photo(e2e) {
	const { page, context } = await e2e.open(e2e.browser, e2e.site);
	const picture = join(e2e.folder, "foto.png");
	await page.setContent("<body style='margin:60px'><svg width='500' height='260'></svg>");
	await page.evaluate((bits) => {
		const svg = document.querySelector("svg");
		[...bits].forEach((bit, i) => {
			if (bit === "1") svg.insertAdjacentHTML("beforeend", `<rect x="${80 + i * 3}" y="20" width="3" height="200"/>`);
		});
	}, ean13(toy));
	await page.screenshot({ path: picture });
	await page.goto(`${e2e.site}/verificar`);
	const chooses = async (files) => {
		const chooser = page.waitForEvent("filechooser");
		await page.getByRole("button", { name: "Ler de uma foto" }).click();
		await (await chooser).setFiles(files);
	};
	await chooses({ name: "nota.txt", mimeType: "image/png", buffer: Buffer.from("nothing") });
	await page.locator(".verify-said", { hasText: "não é uma imagem" }).waitFor();
	await chooses({ name: "selo.svg", mimeType: "image/png", buffer: await blank(page) });
	await page.locator(".verify-said", { hasText: "Não foi possível ler" }).waitFor();
	await e2e.axe(page, "a photo without a code");
	await chooses({ name: "foto.png", mimeType: "image/png", buffer: await readFile(picture) });
	await page.waitForURL(new RegExp(`gtin=${toy}$`));
	e2e.check((await answer(page)) === words[0].yes, "a photo is read");
	await context.close();
}

const blank = (page) => page.locator(".published").screenshot();

// insecure is a site without TLS: browsers give it no camera, and say in the
// console what else they leave out.
async function insecure({ browser, site, check, axe }) {
	const context = await browser.newContext();
	const page = await context.newPage();
	const url = new URL(site);
	url.hostname = "selo.test";
	await page.goto(`${url.origin}/verificar`);
	check(!(await page.getByRole("button", { name: "Ler com a câmera" }).isVisible()), "without TLS: no camera is offered");
	check(await page.getByText("A câmera só se abre em endereços https").isVisible(), "without TLS: why is said");
	check(await page.getByRole("button", { name: "Ler de uma foto" }).isVisible(), "without TLS: a photo is offered");
	await axe(page, "without TLS");
	await context.close();
}
