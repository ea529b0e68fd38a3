// The gov.br simulator's Assinatura and Prova de Vida in a browser: a person
// authorises a signature, which openssl finds good; the citizen's phone accepts,
// refuses and fails. Every screen is looked at in both widths.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSimulator } from "../site.mjs";

const clara = { cpf: "12345678909", name: "Clara Ouro Fictícia" };
const ivo = "90000000680"; // has a certificate in the cloud

export default async function services({ browser, binary, screens, open, check, axe, fits, phone, narrowest, desktop }) {
	const sim = await startSimulator(binary);
	const client = createServer((_, answer) => answer.setHeader("Content-Type", "text/html; charset=utf-8").end("<!doctype html><title>Cliente</title><h1>Cliente</h1>"));
	await new Promise((resolve) => client.listen(0, "127.0.0.1", resolve));
	const back = `http://127.0.0.1:${client.address().port}/retorno`;
	try {
		const look = async (page, where, heading, picture) => {
			await page.getByRole("heading", { level: 1, name: heading }).waitFor();
			check((await page.locator("h1").count()) === 1, `${where}: one h1`);
			check((await page.locator("body").innerText()).includes("Simulação — não é o gov.br"), `${where}: says that it is a simulation`);
			for (const [name, size] of [["desktop", desktop], ["celular", phone], ["", narrowest]]) {
				await page.setViewportSize(size);
				await axe(page, `${where} ${size.width} px`);
				await fits(page, `${where} ${size.width} px`);
				if (screens && picture && name) await page.screenshot({ path: `${screens}govbr-sim-${picture}-${name}.png`, fullPage: true });
			}
			await page.setViewportSize(desktop);
		};
		const admin = async (method, path, body) => {
			const answer = await fetch(`${sim.url}/sim/admin${path}`, { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
			if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
			return answer.json();
		};
		await admin("POST", "/clientes-assinatura", { client_id: "navegador", client_secret: "segredo", nome: "Serviço do navegador", urls_retorno: [back] });
		const tools = { browser, sim, back, open, check, look, phone, admin };
		await signs(tools);
		await chooses(tools);
		await proves(tools);
	} finally {
		client.close();
		await sim.stop();
	}
}

async function signIn(page, cpf) {
	await page.getByLabel("Número do CPF").fill(cpf);
	await page.keyboard.press("Enter");
	await page.getByLabel("Senha").fill("simulado");
	await page.keyboard.press("Enter");
}

// signs goes from the client through the CAS to a signature, with and without script.
async function signs({ browser, sim, back, open, check, look, phone }) {
	for (const script of [true, false]) {
		const how = script ? "with script" : "without script";
		const { page, context } = await open(browser, sim.url, { script, viewport: script ? undefined : phone });
		const ask = `${sim.url}/sim/cas/oauth2.0/authorize?response_type=code&client_id=navegador&scope=sign+govbr&redirect_uri=${back}&state=s&nonce=n`;
		await page.goto(ask);
		await signIn(page, clara.cpf);
		await page.getByRole("heading", { name: "Autorização de assinatura" }).waitFor();
		if (script) await look(page, "signature: code", "Autorização de assinatura", "assinatura");
		await page.getByLabel("Código de 5 números").fill("99999x");
		await page.keyboard.press("Enter");
		check((await page.getByRole("alert").innerText()).includes("Código incorreto"), `signature ${how}: a wrong code is told`);
		await page.getByRole("button", { name: "Recusar" }).click();
		await page.waitForURL(/error=access_denied/);
		await page.goto(ask);
		const inbox = await context.newPage();
		await inbox.goto(`${sim.url}/sim/celular/${clara.cpf}`);
		const code = (await inbox.locator("main").innerText()).match(/assinatura em Serviço do navegador é (\d{5})/)[1];
		await page.getByLabel("Código de 5 números").fill(code);
		await page.keyboard.press("Enter");
		await page.waitForURL(/code=OC-/);
		await verify(sim.url, back, new URL(page.url()).searchParams.get("code"), (holds, what) => check(holds, `signature ${how}: ${what}`));
		await context.close();
	}
}

// verify has a document signed, as the client's server would, and asks openssl.
async function verify(sim, back, code, check) {
	const body = new URLSearchParams({ code, client_id: "navegador", client_secret: "segredo", grant_type: "authorization_code", redirect_uri: back });
	const { access_token: token } = await (await fetch(`${sim}/sim/cas/oauth2.0/token`, { method: "POST", body })).json();
	const again = await fetch(`${sim}/sim/cas/oauth2.0/token`, { method: "POST", body });
	check(again.status === 400 && (await again.text()) === "error=invalid_request", "a code is good once");
	const document = Buffer.from("Um documento.\n");
	const signed = await fetch(`${sim}/sim/assinatura/externo/v2/assinarPKCS7`, { method: "POST", headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
		body: JSON.stringify({ hashBase64: createHash("sha256").update(document).digest("base64") }) });
	check(signed.status === 200, `signed, ${signed.status}`);
	const folder = await mkdtemp(join(tmpdir(), "selo-assinatura-"));
	try {
		const [p7s, content, chain] = ["a.p7s", "a.txt", "cadeia.pem"].map((name) => join(folder, name));
		await writeFile(p7s, Buffer.from(await signed.arrayBuffer()));
		await writeFile(content, document);
		await writeFile(chain, await (await fetch(`${sim}/sim/assinatura/cadeia.pem`)).text());
		const said = execFileSync("openssl", ["cms", "-verify", "-binary", "-inform", "DER", "-in", p7s, "-content", content, "-CAfile", chain, "-out", "/dev/null"], { stdio: "pipe" });
		check(said.length === 0, "openssl finds the signature good");
	} catch (e) {
		check(false, `openssl: ${e.stderr ?? e}`);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

// chooses takes a certificate of ICP-Brasil in the cloud.
async function chooses({ browser, sim, back, open, check, look }) {
	const { page, context } = await open(browser, sim.url);
	await page.goto(`${sim.url}/sim/cas/oauth2.0/authorize?response_type=code&client_id=navegador&scope=signature_session+govbr+icp_brasil&redirect_uri=${back}`);
	await signIn(page, ivo);
	await look(page, "signature: choice", "Escolha o certificado", "certificado");
	await page.getByRole("button", { name: "SafeID" }).click();
	check((await page.getByRole("alert").innerText()).includes("não tem certificado"), "signature: a provider without a certificate is told");
	await page.getByRole("button", { name: "VIDaaS" }).click();
	check((await page.locator("main").innerText()).includes("até 100 documentos"), "signature: how many documents");
	await page.getByLabel("Código de 5 números").fill("12345");
	await page.getByRole("button", { name: "Autorizar" }).click();
	await page.waitForURL(/code=OC-/);
	await page.goto(`${sim.url}/sim/cas/oauth2.0/authorize?response_type=code&client_id=nenhum&scope=sign&redirect_uri=${back}`);
	await look(page, "signature: unknown client", "Não foi possível continuar");
	await context.close();
}

// proves answers requests on the citizen's phone.
async function proves({ browser, sim, open, check, look, phone, admin }) {
	const { page, context } = await open(browser, sim.url, { viewport: phone });
	const request = { cpf: clara.cpf, client_id: "prova-de-vida.teste.gov.br", motivo: "Prova de vida para o benefício", mensagem_sucesso: "Tudo certo.", mensagem_falha: "Não deu certo.",
		solicitante: { cnpj: "90.000.002/0001-73", nome: "ÓRGÃO FICTÍCIO", servico: "Benefício" } };
	const state = async (id) => (await admin("GET", `/prova-de-vida/transacoes?cpf=${clara.cpf}`)).transacoes.find((t) => t.id === id);
	const begin = async (picture) => {
		const { id } = await admin("POST", "/prova-de-vida/transacoes", request);
		await page.goto(`${sim.url}/sim/celular`);
		if (picture) await look(page, "phones", "Celulares");
		await page.getByRole("link", { name: clara.name }).click();
		if (picture) await look(page, "phone", `Olá, ${clara.name}`, "celular");
		await page.locator(".sim-phone-new").getByRole("link").click();
		if (picture) await look(page, "phone: request", "Prova de vida", "prova-de-vida");
		return id;
	};
	let id = await begin(true);
	await page.getByRole("button", { name: "Autorizar e validar o rosto" }).click();
	await look(page, "phone: face", "Validação facial", "validacao-facial");
	await page.getByRole("button", { name: "O rosto confere" }).click();
	await page.getByText("Tudo certo.").waitFor();
	await look(page, "phone: authorised", "Prova de vida");
	check((await state(id)).resposta.autorizado === true, "phone: authorised");
	id = await begin(false);
	await page.getByRole("button", { name: "Recusar" }).click();
	await page.getByText("Recusada por você").waitFor();
	check((await state(id)).resposta.motivo_negacao === 1, "phone: refused");
	id = await begin(false);
	await page.getByRole("button", { name: "Autorizar e validar o rosto" }).click();
	await page.getByRole("button", { name: "O rosto não confere" }).click();
	await page.getByText("Não deu certo.").waitFor();
	check((await state(id)).resposta.motivo_negacao === 2, "phone: the face did not match");
	await context.close();
}
