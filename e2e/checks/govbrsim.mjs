// The gov.br simulator: a client from npm (openid-client) signs people in
// through its screens in a browser, with script and without. Every screen is
// looked at in both widths.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import * as oidc from "openid-client";

const person = { cpf: "123.456.789-09", name: "Clara Ouro Fictícia" };
const twoFactors = "900.000.001-75";
const world = "navegador";

// startSimulator runs `selo govbr-sim` with a world of its own and a client that
// comes back to this process.
async function startSimulator(binary, back) {
	const child = spawn(binary, ["govbr-sim", "--addr", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
	let said = "";
	const root = await new Promise((resolve, reject) => {
		const late = setTimeout(() => reject(new Error(`selo govbr-sim said nothing:\n${said}`)), 30_000);
		const hear = (data) => {
			said += data;
			const found = said.match(/http:\/\/127\.0\.0\.1:\d+/);
			if (found) {
				clearTimeout(late);
				resolve(found[0]);
			}
		};
		child.stdout.on("data", hear);
		child.stderr.on("data", hear);
		child.once("error", reject);
		child.once("exit", (code) => reject(new Error(`selo govbr-sim ended with ${code}:\n${said}`)));
	});
	const admin = async (base, method, path, body) => {
		const answer = await fetch(`${base}/sim/admin${path}`, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
		if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
		return answer.status === 204 ? undefined : answer.json();
	};
	const { url } = await admin(root, "POST", "/mundos", { nome: world });
	await admin(url, "POST", "/clientes", { client_id: "h-npm.teste.gov.br", client_secret: "segredo", nome: "Cliente do npm",
		urls_retorno: [`${back}/retorno`], urls_logout: [`${back}/saiu`] });
	return {
		url,
		admin: (method, path, body) => admin(url, method, path, body),
		stop: () => child.kill("SIGTERM"),
	};
}

// startClient is the client's own site: it only has to be there.
async function startClient() {
	const server = createServer((_, answer) => answer.setHeader("Content-Type", "text/html; charset=utf-8").end("<!doctype html><title>Cliente</title><h1>Cliente</h1>"));
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

// request builds what the client asks; its parts are needed again at the end.
async function request(config, back, more = {}) {
	const verifier = oidc.randomPKCECodeVerifier();
	const asked = { state: oidc.randomState(), nonce: oidc.randomNonce() };
	const url = oidc.buildAuthorizationUrl(config, { redirect_uri: `${back}/retorno`, scope: "openid email profile govbr_confiabilidades govbr_confiabilidades_idtoken",
		code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", ...asked, ...more });
	return { url: url.href, redeem: (address) => oidc.authorizationCodeGrant(config, new URL(address), { pkceCodeVerifier: verifier, expectedState: asked.state, expectedNonce: asked.nonce }) };
}

export default async function govbrsim({ browser, binary, open, check, axe, fits, phone, narrowest, desktop }) {
	const client = await startClient();
	const sim = await startSimulator(binary, client.url);
	try {
		const config = await oidc.discovery(new URL(`${sim.url}/`), "h-npm.teste.gov.br", {}, oidc.ClientSecretBasic("segredo"), { execute: [oidc.allowInsecureRequests] });
		// The heading is waited for: a key that sends a form does not wait for the page that comes.
		const look = async (page, where, heading) => {
			await page.getByRole("heading", { level: 1, name: heading }).waitFor();
			check((await page.locator("h1").count()) === 1, `${where}: one h1`);
			check((await page.locator("body").innerText()).includes("Simulação — não é o gov.br"), `${where}: says that it is a simulation`);
			await axe(page, where);
			await page.setViewportSize(narrowest);
			await fits(page, where);
			await axe(page, `${where} ${narrowest.width} px`);
			await page.setViewportSize(desktop);
		};
		for (const script of [true, false]) {
			const how = script ? "with script" : "without script";
			const { page, context } = await open(browser, sim.url, { script, viewport: script ? desktop : phone });
			const asked = await request(config, client.url);
			await page.goto(asked.url);
			if (script) await look(page, "simulator: CPF", "Identifique-se");
			await page.getByLabel("Número do CPF").fill("111");
			await page.keyboard.press("Enter");
			check((await page.getByRole("alert").innerText()).includes("CPF inválido"), `simulator ${how}: a wrong CPF is told`);
			await page.getByLabel("Número do CPF").fill(person.cpf);
			await page.getByRole("button", { name: "Continuar" }).click();
			await page.getByLabel("Senha").fill("errada");
			await page.getByRole("button", { name: "Entrar", exact: true }).click();
			check((await page.getByRole("alert").innerText()).includes("Senha incorreta"), `simulator ${how}: a wrong password is told`);
			if (script) await look(page, "simulator: password", "Digite sua senha");
			await page.getByLabel("Senha").fill("simulado");
			await page.getByRole("button", { name: "Entrar", exact: true }).click();
			if (script) {
				await look(page, "simulator: consent", "Autorização de uso");
				await page.getByRole("button", { name: "Negar" }).click();
				await page.waitForURL(/error=access_denied/);
				const refused = await asked.redeem(page.url()).then(() => "", (e) => e.error);
				check(refused === "access_denied", "simulator: openid-client sees that consent was refused");
			} else {
				// The person agreed already, in the browser with script: no screen.
				await page.waitForURL(/retorno\?code=/);
			}
			const again = await request(config, client.url);
			await page.goto(again.url);
			if (script) {
				await page.getByRole("button", { name: "Autorizar" }).click();
				await page.waitForURL(/code=/);
			}
			const tokens = await again.redeem(page.url());
			const claims = tokens.claims();
			check(claims.sub === "12345678909" && claims.name === person.name && claims.email_verified === "true", `simulator ${how}: the id_token tells who it is`);
			check(claims.reliability_info.level === "gold" && claims.iss === `${sim.url}/` && claims.exp - claims.iat === 60, `simulator ${how}: the id_token is gov.br's`);
			const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
			check(info.email_verified === true, `simulator ${how}: /userinfo`);
			check((await again.redeem(page.url()).then(() => "", (e) => e.error)) === "invalid_grant", `simulator ${how}: a code is good once`);
			await page.goto(`${sim.url}/logout?post_logout_redirect_uri=${encodeURIComponent(`${client.url}/saiu`)}`);
			check(page.url() === `${client.url}/saiu`, `simulator ${how}: signing out comes back to the client`);
			await context.close();
		}
		await secondFactor({ browser, sim, client, config, open, check, look });
		await ownPages({ browser, sim, client, open, check, look });
	} finally {
		sim.stop();
		client.stop();
	}
}

// secondFactor reads the code in the inbox, in another tab, as a person would.
async function secondFactor({ browser, sim, client, config, open, check, look }) {
	const { page, context } = await open(browser, sim.url);
	const asked = await request(config, client.url);
	await page.goto(asked.url);
	await page.getByLabel("Número do CPF").fill(twoFactors);
	await page.keyboard.press("Enter");
	await page.getByLabel("Senha").fill("simulado");
	await page.keyboard.press("Enter");
	await look(page, "simulator: second factor", "Verificação em duas etapas");
	const inbox = await context.newPage();
	await inbox.goto(`${sim.url}/sim/caixa`);
	await look(inbox, "simulator: inbox", "Caixa de mensagens");
	const code = (await inbox.locator("article").first().innerText()).match(/\b\d{6}\b/)[0];
	await page.getByLabel("Código de 6 números").fill(code);
	await page.keyboard.press("Enter");
	await page.getByRole("button", { name: "Autorizar" }).click();
	await page.waitForURL(/code=/);
	check((await asked.redeem(page.url())).claims().amr.includes("mfa"), "simulator: the second factor is in amr");
	await context.close();
}

// ownPages looks at what no client leads to, and raises a level in the catálogo.
async function ownPages({ browser, sim, client, open, check, look }) {
	const { page, context } = await open(browser, sim.url);
	for (const [path, heading] of [["/sim/", "Simulador da identidade digital"], ["/logout", "Você saiu"], ["/nada", ""],
		["/authorize?client_id=x", "Não foi possível continuar"], ["/logout?post_logout_redirect_uri=https://outro.invalid/", "Não foi possível continuar"]]) {
		await page.goto(sim.url + path);
		await look(page, `simulator: ${path}`, heading);
	}
	await page.goto(`${sim.url}/sim/confiabilidades/?client_id=h-npm.teste.gov.br&niveis=(2/3)&redirect_uri=${encodeURIComponent(`${client.url}/retorno`)}`);
	await page.getByLabel("Número do CPF").fill("529.982.247-25");
	await page.keyboard.press("Enter");
	await page.getByLabel("Senha").fill("simulado");
	await page.keyboard.press("Enter");
	await look(page, "simulator: catálogo", "Catálogo de confiabilidades");
	await page.getByRole("button", { name: /Banco do Brasil/ }).click();
	await page.waitForURL(`${client.url}/retorno`);
	// Who has the level goes straight on after the password, past the page's policy.
	await page.goto(`${sim.url}/logout`);
	await page.goto(`${sim.url}/sim/confiabilidades/?client_id=h-npm.teste.gov.br&niveis=2&redirect_uri=${encodeURIComponent(`${client.url}/retorno`)}`);
	await page.getByLabel("Número do CPF").fill("111.444.777-35");
	await page.keyboard.press("Enter");
	await page.getByLabel("Senha").fill("simulado");
	await page.keyboard.press("Enter");
	await page.waitForURL(`${client.url}/retorno`);
	const raised = await sim.admin("GET", "/pessoas/52998224725");
	check(raised.selos.some((s) => s.id === "602"), "simulator: the selo is there");
	await context.close();
}
