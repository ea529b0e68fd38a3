// The example client of gov.br (govbr/example) with the simulator, as a person
// meets them: refused consent, a level that is too low and is raised, a PDF
// signed and judged by pdfsig and openssl, proofs of life accepted and refused.
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startExample, startSimulator } from "../site.mjs";

const ana = { cpf: "52998224725", name: "Ana Bronze Fictícia" };
const clara = { cpf: "12345678909", name: "Clara Ouro Fictícia" };

export default async function example({ browser, binary, open, check, axe, fits, phone, narrowest, desktop }) {
	const folder = await mkdtemp(join(tmpdir(), "selo-exemplo-"));
	const stops = [() => rm(folder, { recursive: true, force: true })];
	try {
		const sim = await startSimulator(binary);
		stops.unshift(sim.stop);
		const program = join(folder, "exemplo");
		execFileSync("go", ["build", "-o", program, "./govbr/example"], { cwd: fileURLToPath(new URL("../..", import.meta.url)), env: { ...process.env, CGO_ENABLED: "0" }, stdio: ["ignore", "ignore", "inherit"] });
		const site = await startExample(program, sim.url, register(sim.url));
		stops.unshift(site.stop);
		const look = async (page, where, heading) => {
			await page.getByRole("heading", { level: 1, name: heading }).waitFor();
			for (const size of [desktop, phone, narrowest]) {
				await page.setViewportSize(size);
				await axe(page, `example: ${where} ${size.width} px`);
				await fits(page, `example: ${where} ${size.width} px`);
			}
			await page.setViewportSize(desktop);
		};
		const tools = { browser, sim: sim.url, site: site.url, folder, open, check, look };
		await raises(tools);
		for (const script of [true, false]) await signs(tools, script);
		await proves(tools);
	} finally {
		for (const stop of stops) await stop();
	}
}

// register has the simulator know the example at an address of its own.
function register(sim) {
	return async (site) => {
		for (const [path, client] of [
			["clientes", { client_id: "h-navegador.teste.gov.br", client_secret: "segredo", nome: "Órgão Fictício", urls_retorno: [`${site}/retorno`], urls_logout: [`${site}/`] }],
			["clientes-assinatura", { client_id: "h-navegador", client_secret: "segredo", nome: "Órgão Fictício", urls_retorno: [`${site}/assinatura/retorno`] }],
		]) {
			const answer = await fetch(`${sim}/sim/admin/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(client) });
			if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
		}
		return { LOGIN_ID: "h-navegador.teste.gov.br", LOGIN_SEGREDO: "segredo", ASSINATURA_ID: "h-navegador", ASSINATURA_SEGREDO: "segredo",
			RETORNO: `${site}/retorno`, RETORNO_SAIDA: `${site}/`, RETORNO_ASSINATURA: `${site}/assinatura/retorno` };
	};
}

// credentials are typed at gov.br.
async function credentials(page, person) {
	await page.getByLabel("Número do CPF").fill(person.cpf);
	await page.getByRole("button", { name: "Continuar" }).click();
	await page.getByLabel("Senha").fill("simulado");
	await page.getByRole("button", { name: "Entrar", exact: true }).click();
}

const enter = (page) => page.getByRole("button", { name: "Entrar com GOV.BR" }).click();

// raises refuses consent first; then a bronze account is stopped before the CAS,
// raised in the catálogo, and may go there.
async function raises({ browser, sim, site, open, check, look }) {
	const { page, context } = await open(browser, site);
	await page.goto(site);
	await look(page, "home", "Serviços");
	await page.getByRole("link", { name: "Assinar um PDF" }).click();
	await look(page, "sign in first", "Entre primeiro");
	await enter(page);
	await credentials(page, ana);
	await page.getByRole("button", { name: "Negar" }).click();
	await look(page, "consent refused", "Sem permissão");
	check((await page.getByRole("alert").innerText()).includes("não foi autorizado"), "example: refused consent is told");
	await page.goto(`${site}/assinar`);
	await enter(page); // gov.br knows the browser
	await page.getByRole("button", { name: "Autorizar" }).click();
	await look(page, "which PDF", "Assinar um PDF");
	check(page.url() === `${site}/assinar`, `example: after signing in the browser is at ${page.url()}`);
	const asked = [];
	page.on("request", (r) => asked.push(r.url()));
	await page.getByRole("button", { name: "Assinar o documento de exemplo" }).click();
	await look(page, "level too low", "Sem permissão");
	check((await page.getByRole("alert").innerText()).includes("nível (prata ou ouro)"), "example: the level that is missing is told");
	check(!asked.some((u) => u.includes("/sim/cas/")), "example: who is bronze never comes to the CAS");
	await page.getByRole("link", { name: "Aumentar o nível" }).click();
	await page.getByRole("button", { name: /Banco do Brasil/ }).click();
	await look(page, "level raised", "Assinar um PDF");
	await page.goto(site);
	check((await page.locator("dl").innerText()).includes("prata") && (await page.locator("header").innerText()).includes(ana.name), "example: a new sign-in tells the new level");
	await look(page, "signed in", "Serviços");
	await page.goto(`${site}/assinar`);
	await page.getByRole("button", { name: "Assinar o documento de exemplo" }).click();
	await page.getByRole("heading", { name: "Autorização de assinatura" }).waitFor();
	check(page.url().startsWith(`${sim}/sim/cas/`), "example: who is prata comes to the CAS");
	await page.getByRole("button", { name: "Recusar" }).click();
	await look(page, "signature refused", "Sem permissão");
	check((await page.getByRole("alert").innerText()).includes("não foi assinado"), "example: a refused signature is told");
	await page.getByRole("button", { name: "Sair" }).click();
	await page.waitForURL(`${site}/`);
	check((await page.getByRole("button", { name: "Entrar com GOV.BR" }).count()) === 1, "example: signed out");
	await page.goto(`${site}/assinar`);
	await enter(page);
	check((await page.getByLabel("Número do CPF").count()) === 1, "example: gov.br asks who it is after signing out");
	await context.close();
}

// signs signs the sample, then the signed file once more, through the CAS.
async function signs({ browser, sim, site, folder, open, check, look }, script) {
	const how = script ? "with script" : "without script";
	const { page, context } = await open(browser, site, { script });
	await page.goto(`${site}/assinar`);
	await enter(page);
	await credentials(page, clara);
	const consent = page.getByRole("button", { name: "Autorizar" });
	const form = page.getByLabel("Arquivo PDF");
	await consent.or(form).waitFor();
	if (await consent.count()) await consent.click(); // asked once a person
	if (script) {
		await form.setInputFiles({ name: "a.pdf", mimeType: "application/pdf", buffer: Buffer.from("isto não é um PDF") });
		await page.getByRole("button", { name: "Assinar este arquivo" }).click();
		check((await page.getByRole("alert").innerText()).includes("não é um PDF"), "example: a file that is no PDF is told");
		await page.goto(`${site}/assinar`);
	}
	const authorise = async () => {
		await page.getByLabel("Código de 5 números").fill("12345");
		await page.getByRole("button", { name: "Autorizar" }).click();
		await page.waitForURL(`${site}/assinado`);
	};
	const kept = async (name) => {
		const path = join(folder, name);
		const [download] = await Promise.all([page.waitForEvent("download"), page.locator(`a[href="/assinado/${name}"]`).click()]);
		check(download.suggestedFilename() === name, `example ${how}: the file is called ${download.suggestedFilename()}`);
		await download.saveAs(path);
		return path;
	};
	await page.getByRole("button", { name: "Assinar o documento de exemplo" }).click();
	await authorise();
	if (script) await look(page, "signed", "Documento assinado");
	check((await page.locator("dl").innerText()).includes("O CPF do certificado é o de quem entrou"), `example ${how}: whose certificate it is`);
	const pdf = await kept("assinado.pdf");
	judge(pdf, 1, (holds, what) => check(holds, `example ${how}: ${what}`));
	const chain = join(folder, "cadeia.pem");
	await writeFile(chain, await (await fetch(`${sim}/sim/assinatura/cadeia.pem`)).text());
	try {
		execFileSync("openssl", ["cms", "-verify", "-binary", "-inform", "DER", "-in", await kept("documento.p7s"), "-content", await kept("documento.pdf"), "-CAfile", chain, "-out", "/dev/null"], { stdio: "pipe" });
		check(true, `example ${how}: openssl finds the .p7s good`);
	} catch (e) {
		check(false, `example ${how}: openssl: ${e.stderr ?? e}`);
	}
	const before = await readFile(pdf);
	await page.goto(`${site}/assinar`);
	await form.setInputFiles(pdf);
	await page.getByRole("button", { name: "Assinar este arquivo" }).click();
	await authorise();
	const twice = await kept("assinado.pdf");
	check((await readFile(twice)).subarray(0, before.length).equals(before), `example ${how}: the second signature leaves the first as it was`);
	judge(twice, 2, (holds, what) => check(holds, `example ${how}: ${what}`));
	await context.close();
}

// judge has poppler look at a PDF's signatures.
function judge(pdf, count, check) {
	const said = execFileSync("pdfsig", ["-nocert", pdf], { encoding: "utf8" });
	check(said.split("Signature is Valid.").length - 1 === count, `pdfsig finds ${count} good: ${said}`);
}

// proves answers on the citizen's phone, in another tab.
async function proves({ browser, sim, site, open, check, look }) {
	const { page, context } = await open(browser, site);
	await page.goto(`${site}/prova-de-vida`);
	await enter(page);
	await credentials(page, clara);
	const state = page.getByRole("status");
	await look(page, "proof of life", "Prova de vida");
	const begin = async (button) => {
		await page.getByRole("button", { name: button }).click();
		await state.getByText("Aguardando você").waitFor();
		const [mobile] = await Promise.all([context.waitForEvent("page"), page.getByRole("link", { name: "Abrir o celular" }).click()]);
		await mobile.waitForURL(`${sim}/sim/celular/${clara.cpf}`);
		await mobile.locator(".sim-phone-new").getByRole("link").click();
		return mobile;
	};
	let mobile = await begin("Fazer a prova de vida");
	await look(page, "proof of life: waiting", "Prova de vida");
	await mobile.getByRole("button", { name: "Autorizar e validar o rosto" }).click();
	await mobile.getByRole("button", { name: "O rosto confere" }).click();
	await mobile.getByText("Prova de vida feita. Obrigado!").waitFor();
	await mobile.close();
	await state.getByText("Prova de vida aceita").waitFor(); // the page tells by itself
	check((await page.getByRole("button").allInnerTexts()).join() === "Sair,Pedir de novo", "example: an accepted proof of life waits no more");
	await look(page, "proof of life: accepted", "Prova de vida");
	for (const [answers, told] of [[["Recusar"], "Você não autorizou."], [["Autorizar e validar o rosto", "O rosto não confere"], "O rosto não conferiu."]]) {
		mobile = await begin("Pedir de novo");
		for (const answer of answers) await mobile.getByRole("button", { name: answer }).click();
		await mobile.getByText("A prova de vida não foi feita.").or(mobile.getByText("Recusada por você")).first().waitFor();
		await mobile.close();
		await state.getByText("Prova de vida recusada.").waitFor();
		check((await state.innerText()).includes(told), `example: ${told}`);
	}
	await look(page, "proof of life: refused", "Prova de vida");
	await begin("Pedir de novo");
	await page.getByRole("button", { name: "Cancelar o pedido" }).click();
	await state.getByText("Pedido cancelado.").waitFor();
	await page.getByRole("button", { name: "Pedir de novo" }).click();
	await state.getByText("Aguardando você").waitFor();
	const { transacoes } = await (await fetch(`${sim}/sim/admin/prova-de-vida/transacoes?cpf=${clara.cpf}`)).json();
	for (const { id } of transacoes.filter((t) => !t.resposta && !t.cancelamento)) {
		await fetch(`${sim}/sim/admin/prova-de-vida/transacoes/${id}/resultado`, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ resultado: "expirada" }) });
	}
	await state.getByText("Prova de vida expirada.").waitFor();
	await context.close();
}
