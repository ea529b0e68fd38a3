// Prints the page of a certificate and checks, in the browser, that its
// revision is in the public register. The page works without this script.
"use strict";

const print = document.querySelector("[data-imprimir]");
if (print) {
	print.hidden = false;
	print.addEventListener("click", () => window.print());
}

const proof = document.querySelector("[data-prova]");
const button = proof?.querySelector("button");
if (button && globalThis.crypto?.subtle) {
	button.hidden = false;
	button.addEventListener("click", check);
}

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hexOf = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const joined = (...parts) => new Uint8Array(parts.flatMap((p) => [...p]));
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

// rootOf goes from a leaf up to the root (RFC 9162, section 2.1.3.2).
async function rootOf(leaf, index, size, path) {
	let at = BigInt(index);
	let last = BigInt(size) - 1n;
	if (at > last) return null;
	let hash = leaf;
	for (const step of path) {
		if (last === 0n) return null;
		const beside = bytesOf(step);
		if (at & 1n || at === last) {
			hash = await sha256(joined([1], beside, hash));
			while (!(at & 1n) && at !== 0n) {
				at >>= 1n;
				last >>= 1n;
			}
		} else {
			hash = await sha256(joined([1], hash, beside));
		}
		at >>= 1n;
		last >>= 1n;
	}
	return last === 0n ? hash : null;
}

// signed tells whether the register's key signed the checkpoint
// (c2sp.org/signed-note); null where this browser cannot say.
async function signed(checkpoint, verifierKey) {
	const end = checkpoint.indexOf("\n\n");
	const [name, keyHash, ...rest] = verifierKey.split("+");
	const key = fromBase64(rest.join("+"));
	if (end < 0 || key[0] !== 1) return false;
	let publicKey;
	try {
		publicKey = await crypto.subtle.importKey("raw", key.slice(1), "Ed25519", false, ["verify"]);
	} catch {
		return null;
	}
	const text = new TextEncoder().encode(checkpoint.slice(0, end + 1));
	for (const line of checkpoint.slice(end + 2).split("\n")) {
		const [dash, who, data] = line.split(" ");
		if (dash !== "—" || who !== name) continue;
		const signature = fromBase64(data);
		if (hexOf(signature.slice(0, 4)) !== keyHash) continue;
		return crypto.subtle.verify("Ed25519", publicKey, signature.slice(4), text);
	}
	return false;
}

async function check() {
	const said = proof.dataset;
	const result = proof.querySelector("[role=status]");
	const list = document.createElement("ul");
	const say = (mark, text) => {
		const item = document.createElement("li");
		const sign = document.createElement("span");
		sign.className = "mark";
		sign.setAttribute("aria-hidden", "true");
		sign.textContent = mark;
		const words = document.createElement("span");
		words.textContent = text;
		item.append(sign, words);
		list.append(item);
	};
	button.disabled = true;
	result.textContent = said.busca;
	try {
		const answer = await fetch(said.prova, { headers: { Accept: "application/json" } });
		if (!answer.ok) {
			say("ℹ", answer.status === 503 || answer.status === 404 ? said.aquiNao : said.falha);
			return;
		}
		await compare(await answer.json(), said, say);
	} catch {
		say("ℹ", said.falha);
	} finally {
		result.replaceChildren(list);
		button.disabled = false;
	}
}

// compare checks the proof, step by step, and stops where one fails.
async function compare(p, said, say) {
	const leaf = await sha256(joined([0], new TextEncoder().encode(p.revisao)));
	if (hexOf(leaf) !== p.hash_folha) return say("✗", said.errada);
	if (p.hash_folha !== said.hash || String(p.indice) !== said.indice) return say("ℹ", said.outra);
	say("✓", said.folha);
	const root = await rootOf(leaf, p.indice, p.tamanho, p.caminho ?? []);
	const [, size, wanted] = p.checkpoint.split("\n");
	if (!root || hexOf(root) !== p.raiz || String(p.tamanho) !== size || hexOf(fromBase64(wanted)) !== p.raiz) return say("✗", said.errada);
	say("✓", said.caminho);
	if (String(p.tamanho) === said.tamanho) {
		if (p.raiz !== said.raiz) return say("✗", said.errada);
		say("✓", said.publicacao);
	}
	const good = await signed(p.checkpoint, p.chave_verificacao);
	if (good === null) return say("ℹ", said.semAssinatura);
	say(good ? "✓" : "✗", good ? said.assinatura : said.errada);
}
