// Accounts in the gov.br simulator, in a browser: one is made by the screens, an
// e-CNPJ enters by real mutual TLS, consent is refused, a level that is too low
// is raised in Minha área, and the pages that edit the world are looked at.
import { createServer } from "node:http";
import * as oidc from "openid-client";
import { startSimulator } from "../site.mjs";

const clientID = "h-contas.teste.gov.br";

async function startClient() {
	const server = createServer((_, answer) => answer.setHeader("Content-Type", "text/html; charset=utf-8").end("<!doctype html><title>Cliente</title><h1>Cliente</h1>"));
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

async function admin(base, method, path, body) {
	const answer = await fetch(`${base}/sim/admin${path}`, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
	if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
	return answer.status === 204 ? undefined : answer.json();
}

// request is what the client asks, and how it redeems the answer.
async function request(config, back) {
	const verifier = oidc.randomPKCECodeVerifier();
	const asked = { state: oidc.randomState(), nonce: oidc.randomNonce() };
	const url = oidc.buildAuthorizationUrl(config, { redirect_uri: `${back}/retorno`, scope: "openid email profile govbr_confiabilidades_idtoken",
		code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", ...asked });
	return { url: url.href, redeem: (address) => oidc.authorizationCodeGrant(config, new URL(address), { pkceCodeVerifier: verifier, expectedState: asked.state, expectedNonce: asked.nonce }) };
}

export default async function account(t) {
	const client = await startClient();
	const sim = await startSimulator(t.binary);
	try {
		await admin(sim.url, "POST", "/clientes", { client_id: clientID, client_secret: "segredo", nome: "Serviço das contas",
			urls_retorno: [`${client.url}/retorno`], urls_logout: [`${client.url}/saiu`] });
		const config = await oidc.discovery(new URL(`${sim.url}/`), clientID, {}, oidc.ClientSecretBasic("segredo"), { execute: [oidc.allowInsecureRequests] });
		const run = { ...t, sim: sim.url, client: client.url, config, look: looker(t) };
		await makesAnAccount(run);
		await entersWithECNPJ(run);
		await raisesTheLevel(run);
		await editsTheWorld(run);
	} finally {
		await sim.stop();
		client.stop();
	}
}

// looker gives what looks at a screen: one h1, axe and width on both sizes, and
// a picture of each when pictures are taken.
function looker({ check, axe, fits, screens, desktop, phone, narrowest }) {
	return async (page, name, heading) => {
		const where = `simulator: ${name}`;
		await page.getByRole("heading", { level: 1, name: heading }).waitFor();
		check((await page.locator("h1").count()) === 1, `${where}: one h1`);
		check((await page.locator("body").innerText()).includes("Simulação — não é o gov.br"), `${where}: says that it is a simulation`);
		for (const [size, viewport] of [["desktop", desktop], ["celular", phone]]) {
			await page.setViewportSize(viewport);
			if (screens) await page.screenshot({ path: `${screens}govbr-sim-${name}-${size}.png`, fullPage: true });
			await axe(page, `${where} ${size}`);
		}
		await page.setViewportSize(narrowest);
		await fits(page, where);
		await page.setViewportSize(desktop);
	};
}

async function makesAnAccount({ browser, open, check, look, phone, sim, client, config }) {
	const { page, context } = await open(browser, sim);
	const asked = await request(config, client);
	await page.goto(asked.url);
	await look(page, "entrada", "Identifique-se");
	await page.getByLabel("Número do CPF").fill("987.654.321-00");
	await page.getByRole("button", { name: "Continuar" }).click();
	await page.getByRole("alert").waitFor();
	await page.getByRole("button", { name: "Crie sua conta gov.br" }).click();
	await page.getByRole("heading", { name: "Crie sua conta" }).waitFor();
	await page.getByLabel("E-mail").fill("sem-arroba");
	await page.getByRole("button", { name: "Continuar" }).click();
	await page.getByRole("alert").waitFor();
	check((await page.locator(".sim-wrong").count()) === 6, "simulator: every wrong field is named");
	check((await page.getByLabel("E-mail").inputValue()) === "sem-arroba", "simulator: what was typed stays");
	await look(page, "cadastro-erros", "Crie sua conta");
	await page.getByLabel("Nome completo").fill("Zulmira Nova Fictícia");
	await page.getByLabel("Telefone celular").fill("(61) 99999-0007");
	await page.getByLabel("E-mail").fill("zulmira@pessoa.invalid");
	await page.getByLabel("Não sou um robô").check();
	await page.getByLabel(/Eu aceito/).check();
	await page.keyboard.press("Enter");
	await page.getByLabel("1980").waitFor();
	await look(page, "cadastro-perguntas", "Crie sua conta");
	for (const answer of ["1980", "MAMÃE", "JANEIRO"]) await page.getByLabel(answer, { exact: true }).check();
	await page.getByRole("button", { name: "Continuar" }).click();
	await page.getByLabel("Por e-mail").waitFor();
	await page.getByRole("button", { name: "Voltar" }).click();
	await page.getByLabel("1980").waitFor();
	for (const answer of ["1980", "MAMÃE", "JANEIRO"]) await page.getByLabel(answer, { exact: true }).check();
	await page.getByRole("button", { name: "Continuar" }).click();
	await look(page, "cadastro-canal", "Crie sua conta");
	await page.getByLabel("Por e-mail").check();
	await page.getByRole("button", { name: "Continuar" }).click();
	await look(page, "cadastro-link", "Link enviado");
	await page.getByRole("main").getByRole("link", { name: "caixa de mensagens" }).click();
	await look(page, "caixa", "Caixa de mensagens");
	await page.getByRole("link", { name: "Abrir o link da mensagem" }).first().click();
	await page.getByLabel("Senha nova").fill("fraca");
	await page.getByRole("button", { name: "Cadastrar senha" }).click();
	await page.getByRole("alert").waitFor();
	await look(page, "cadastro-senha", "Cadastrar uma senha");
	await page.getByLabel("Senha nova").fill("Senha#Boa1");
	await page.getByLabel("Repita a senha").fill("Senha#Boa1");
	await page.keyboard.press("Enter");
	await page.getByRole("button", { name: "Autorizar" }).click();
	await page.waitForURL(/code=/);
	const claims = (await asked.redeem(page.url())).claims();
	check(claims.sub === "98765432100" && claims.name === "Zulmira Nova Fictícia" && claims.email_verified === "true", "simulator: the new account signs in");
	check(claims.reliability_info.level === "bronze", "simulator: a new account is bronze");
	await context.close();
	const again = await open(browser, sim, { script: false, viewport: phone });
	const next = await request(config, client);
	await again.page.goto(next.url);
	await again.page.getByLabel("Número do CPF").fill("98765432100");
	await again.page.keyboard.press("Enter");
	await again.page.getByLabel("Senha").fill("Senha#Boa1");
	await again.page.getByRole("button", { name: "Entrar", exact: true }).click();
	await again.page.waitForURL(/code=/);
	check((await next.redeem(again.page.url())).claims().sub === "98765432100", "simulator without script: the new password signs in");
	await again.context.close();
}

// entersWithECNPJ shows a company's certificate to the second listener, first
// none, then a revoked one, then a good one; and refuses consent before giving it.
async function entersWithECNPJ({ browser, check, look, desktop, sim, client, config }) {
	const { empresas } = await admin(sim, "GET", "/empresas");
	const { pessoas } = await admin(sim, "GET", "/pessoas");
	const company = empresas.find((c) => c.participantes.some((m) => m.atuacao === "SOCIO" && pessoas.some((p) => p.cpf === m.cpf)));
	const partner = company.participantes.find((m) => m.atuacao === "SOCIO").cpf;
	const door = (await (await fetch(`${sim}/sim/certificados`)).text()).match(/https:\/\/127\.0\.0\.1:\d+/)[0];
	const browserWith = async (flaw) => {
		const options = { viewport: desktop, ignoreHTTPSErrors: true, reducedMotion: "reduce" };
		if (flaw !== undefined) {
			const pem = Buffer.from(await (await fetch(`${sim}/sim/certificados/e-cnpj/${company.cnpj}/${partner}${flaw}`)).arrayBuffer());
			options.clientCertificates = [{ origin: door, cert: pem, key: pem }];
		}
		const context = await browser.newContext(options);
		return { context, page: await context.newPage() };
	};
	for (const [flaw, text] of [[undefined, "Nenhum certificado digital"], ["?defeito=revogado", "revogado"]]) {
		const { context, page } = await browserWith(flaw);
		await page.goto((await request(config, client)).url);
		await page.getByRole("link", { name: "Seu certificado digital", exact: true }).click();
		await page.getByRole("heading", { name: "Certificado não aceito" }).waitFor();
		check((await page.locator("main").innerText()).includes(text), `simulator: certificate ${flaw ?? "missing"} is told`);
		if (flaw) await look(page, "certificado-recusado", "Certificado não aceito");
		await context.close();
	}
	const { context, page } = await browserWith("");
	const refused = await request(config, client);
	await page.goto(refused.url);
	await page.getByRole("link", { name: "Seu certificado digital", exact: true }).click();
	await page.getByRole("button", { name: "Negar" }).click();
	await page.waitForURL(/error=access_denied/);
	check((await refused.redeem(page.url()).then(() => "", (e) => e.error)) === "access_denied", "simulator: consent was refused after the certificate");
	const asked = await request(config, client);
	await page.goto(asked.url);
	await page.getByRole("button", { name: "Autorizar" }).click();
	await page.waitForURL(/code=/);
	const claims = (await asked.redeem(page.url())).claims();
	check(claims.sub === partner && claims.cnpj?.replace(/\W/g, "") === company.cnpj && claims.cnpj_certificate_name === company.razao_social, "simulator: the e-CNPJ is in the id_token");
	check(claims.amr.join() === "x509,x509_token", "simulator: amr of a device's certificate");
	await page.goto(`${sim}/sim/servicos/`);
	await look(page, "minha-area-empresa", "Minha área");
	await page.getByRole("link", { name: company.razao_social }).click();
	await look(page, "empresa", company.razao_social);
	await page.goto(`${sim}/sim/certificados`);
	await look(page, "certificados", "Certificados de teste");
	await context.close();
}

// raisesTheLevel of an account that a service finds too low.
async function raisesTheLevel({ browser, open, check, look, sim, client, config }) {
	const { page, context } = await open(browser, sim);
	const level = async () => {
		const asked = await request(config, client);
		await page.goto(asked.url);
		for (;;) {
			if (/code=/.test(page.url())) return (await asked.redeem(page.url())).claims().reliability_info.level;
			const cpf = page.getByLabel("Número do CPF");
			const password = page.getByLabel("Senha");
			if (await cpf.isVisible()) {
				await cpf.fill("529.982.247-25");
				await page.getByRole("button", { name: "Continuar" }).click();
				await password.waitFor();
			} else if (await password.isVisible()) {
				await password.fill("simulado");
				await page.getByRole("button", { name: "Entrar", exact: true }).click();
				await page.getByRole("button", { name: "Autorizar" }).waitFor();
			} else {
				await page.getByRole("button", { name: "Autorizar" }).click();
				await page.waitForURL(/code=/);
			}
		}
	};
	check((await level()) === "bronze", "simulator: the level is too low at first");
	await page.goto(`${sim}/sim/servicos/`);
	await page.getByRole("link", { name: "Obter confiabilidade" }).click();
	await look(page, "obter-confiabilidade", "Obter confiabilidade");
	await page.getByRole("link", { name: /Escolher\s+Banco/ }).click();
	await page.getByLabel(/Banco do Brasil/).check();
	await page.getByRole("button", { name: "Continuar" }).click();
	await page.getByRole("button", { name: "Recusar no banco" }).click();
	await page.getByRole("alert").waitFor();
	await look(page, "banco", "Banco credenciado");
	await page.getByRole("button", { name: "Autorizar no banco" }).click();
	await page.getByRole("status").waitFor();
	await look(page, "minha-area", "Minha área");
	check((await level()) === "silver", "simulator: the level was raised");
	await page.goto(`${sim}/sim/servicos/`);
	await page.getByRole("button", { name: /Revogar/ }).click();
	await page.getByRole("status").waitFor();
	await page.getByRole("link", { name: /em nuvem/ }).click();
	await look(page, "nuvem", "Certificado digital em nuvem");
	await page.goto(`${sim}/sim/servicos/`);
	await page.getByRole("button", { name: "Sair" }).click();
	await page.getByRole("heading", { level: 1, name: "Você saiu" }).waitFor();
	await context.close();
}

async function editsTheWorld({ browser, open, check, look, sim }) {
	const { page, context } = await open(browser, sim);
	for (const [path, name, heading] of [["/sim/", "inicio", "Simulador"], ["/sim/pessoas", "pessoas", "Pessoas"], ["/sim/clientes", "clientes", "Clientes"], ["/sim/administrar", "administrar", "Administração"],
		["/sim/pessoas/12345678909", "pessoa", "Clara Ouro Fictícia"], [`/sim/clientes/${clientID}`, "cliente", "Serviço das contas"], ["/sim/mundo", "mundo", "Mundo"]]) {
		await page.goto(sim + path);
		await look(page, name, heading);
	}
	await page.getByRole("button", { name: "Avançar 1 hora" }).click();
	await page.getByRole("status").waitFor();
	await page.goto(`${sim}/sim/pessoas/12345678909`);
	await page.getByLabel("Nome social").fill("Clara Social");
	await page.getByRole("button", { name: "Salvar", exact: true }).click();
	await page.getByRole("status").waitFor();
	check((await page.locator("h1").innerText()) === "Clara Social", "simulator: a person is edited");
	await context.close();
}
