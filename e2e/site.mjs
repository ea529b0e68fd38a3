// Starts the program with its demonstration data, and a browser.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { chromium } from "playwright-core";

// freePort asks the system for a port that nobody listens on.
function freePort() {
	return new Promise((resolve, reject) => {
		const server = createServer().once("error", reject);
		server.listen(0, "127.0.0.1", () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
}

// startSite runs `selo demo` and waits until it has told its addresses, which
// it does when the demonstration's cycle is through. SELO_E2E_URL names a site
// that runs already.
export async function startSite(binary) {
	if (process.env.SELO_E2E_URL) return { url: process.env.SELO_E2E_URL.replace(/\/$/, ""), stop: async () => {} };
	const url = `http://127.0.0.1:${await freePort()}`;
	return serving(binary, ["demo", "--addr", url.slice("http://".length)], url, `${url}/api/openapi.json`);
}

// startNode runs `selo catalog serve` with the newest snapshot of a site;
// limits are its arguments --rate and --burst.
export async function startNode(binary, site, limits) {
	const { publicacoes } = await (await fetch(`${site}/api/v1/publicacoes?limite=1`)).json();
	const answer = await fetch(site + publicacoes[0].arquivo.endereco);
	if (!answer.ok) throw new Error(`no snapshot: ${answer.status}`);
	const folder = await mkdtemp(join(tmpdir(), "selo-node-"));
	const file = join(folder, "publicacao.sqlite");
	await writeFile(file, Buffer.from(await answer.arrayBuffer()));
	const url = `http://127.0.0.1:${await freePort()}`;
	const node = await serving(binary, ["catalog", "serve", "--snapshot", file, "--addr", url.slice("http://".length), ...limits], url, url);
	return {
		url,
		stop: async () => {
			await node.stop();
			await rm(folder, { recursive: true, force: true });
		},
	};
}

// startSimulator runs `selo govbr-sim`.
export async function startSimulator(binary) {
	const url = `http://127.0.0.1:${await freePort()}`;
	return serving(binary, ["govbr-sim", "--addr", url.slice("http://".length)], url, url);
}

// startExample runs the example client of gov.br (govbr/example), built as
// program, with a simulator; register makes it known there, at its address, and
// gives its credentials, as in docs/govbr.md.
export async function startExample(program, sim, register) {
	const url = `http://127.0.0.1:${await freePort()}`;
	const env = { SSO: sim, API: `${sim}/sim/api`, CONFIABILIDADES: `${sim}/sim/confiabilidades`, CAS: `${sim}/sim/cas`,
		ASSINATURA: `${sim}/sim/assinatura`, PROVA_DE_VIDA: `${sim}/sim/meugov`, ...await register(url) };
	return serving(program, ["-addr", url.slice("http://".length)], url, url, Object.fromEntries(Object.entries(env).map(([name, value]) => [`SELO_GOVBR_${name}`, value])));
}

// serving runs the program, with more variables of the environment where env has
// them, and waits until it says that it is ready.
async function serving(binary, args, url, ready, env = {}) {
	const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
	let said = "";
	const ended = new Promise((resolve) => child.once("exit", resolve));
	await new Promise((resolve, reject) => {
		const late = setTimeout(() => reject(new Error(`${basename(binary)} ${args[0]} said nothing for a minute:\n${said}`)), 60_000);
		const hear = (data) => {
			said += data;
			if (said.includes(ready)) {
				clearTimeout(late);
				resolve();
			}
		};
		child.stdout.on("data", hear);
		child.stderr.on("data", hear);
		child.once("error", reject);
		ended.then((code) => reject(new Error(`${basename(binary)} ${args[0]} ended with ${code}:\n${said}`)));
	});
	return {
		url,
		stop: async () => {
			child.kill("SIGTERM");
			await ended;
		},
	};
}

// startBrowser runs Debian's Chromium, with more flags where a check needs them;
// CHROMIUM names another one.
export async function startBrowser(flags = []) {
	const profile = await mkdtemp(join(tmpdir(), "selo-e2e-"));
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync", ...flags],
		env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
	});
	return {
		browser,
		stop: async () => {
			await browser.close();
			await rm(profile, { recursive: true, force: true });
		},
	};
}
