// Reads bar codes and QR codes for the page that verifies: with the camera or
// from a photo, with the browser's own BarcodeDetector or, where it has none,
// with a reader that is loaded then. Pictures never leave the device, nor does the
// text of a QR code that names no certificate. The page
// is a form without this script.

const form = document.querySelector("[data-verificar]");
const panel = form.querySelector("[data-leitura]");
const openButton = panel.querySelector("[data-camera]");
const photoButton = panel.querySelector("[data-foto]");
const file = panel.querySelector("[data-arquivo]");
const photoSaid = panel.querySelector("[data-dito]");
const dialog = document.getElementById("camera");
const video = dialog.querySelector("video");
const said = dialog.querySelector("[role=status]");
const torch = dialog.querySelector("[data-luz]");
const words = dialog.dataset;

const pause = 120; // ms between two looks at the picture
const widest = 1024; // pixels of a picture that is looked at
const hardEvery = 4; // of so many pictures one is looked at from all sides
const shown = 80; // characters of a QR code that are said
const longest = 200; // characters of a certificate's number

// Formats by their names in BarcodeDetector and in the vendored reader.
const formats = { ean_13: "EAN_13", ean_8: "EAN_8", upc_a: "UPC_A", itf: "ITF", qr_code: "QR_CODE" };

let stream = null; // of the open camera
let session = 0; // counts openings, so that what comes late is dropped

// isGTIN checks length and check digit (GS1 General Specifications): a reader
// may take any stripes for digits.
function isGTIN(digits) {
	if (!/^(\d{8}|\d{12,14})$/.test(digits)) return false;
	let sum = 0;
	for (let i = 0; i < digits.length; i++) sum += digits[digits.length - 1 - i] * (i % 2 ? 3 : 1);
	return sum > 0 && sum % 10 === 0;
}

// usable is a code that can be verified, else null.
function usable(format, text) {
	if (format === "qr_code") return text.trim() ? { format, text: text.trim() } : null;
	if (format === "itf" && text.length !== 14) return null;
	return isGTIN(text) ? { format, text } : null;
}

// isOurs tells whether a code may be sent: a bar code, or a QR code that names a
// certificate, by the address of its page, wherever that is, or by its number. What
// else people photograph, a payment or a password, stays on their device.
function isOurs({ format, text }) {
	if (format !== "qr_code") return true;
	if (/^https?:/i.test(text)) return /^[^?#]*\/certificados\//.test(text);
	return text.length <= longest && /^[^\p{Cc}:;=@]*\d[^\p{Cc}:;=@]*$/u.test(text) && !/br\.gov\.bcb/i.test(text);
}

// nativeReader reads with the browser's own detector; null where it lacks a format.
async function nativeReader() {
	if (!("BarcodeDetector" in window)) return null;
	try {
		const known = await window.BarcodeDetector.getSupportedFormats();
		const wanted = Object.keys(formats);
		if (!wanted.every((name) => known.includes(name))) return null;
		const detector = new window.BarcodeDetector({ formats: wanted });
		return async (canvas) => {
			const codes = (await detector.detect(canvas)).map((found) => usable(found.format, found.rawValue)).filter(Boolean);
			return codes.find(isOurs) ?? codes[0] ?? null;
		};
	} catch {
		return null;
	}
}

// vendoredReader loads the fallback. To look hard at a picture, in every row and
// on its side, takes it long.
async function vendoredReader() {
	if (!window.ZXing) {
		await new Promise((resolve, reject) => {
			const script = document.createElement("script");
			script.src = words.leitor;
			script.addEventListener("load", resolve);
			script.addEventListener("error", () => {
				script.remove();
				reject(new Error("no reader"));
			});
			document.head.append(script);
		});
	}
	const { BarcodeFormat, BinaryBitmap, DecodeHintType, HTMLCanvasElementLuminanceSource, HybridBinarizer, MultiFormatOneDReader, QRCodeReader } = window.ZXing;
	const names = new Map(Object.entries(formats).map(([name, theirs]) => [BarcodeFormat[theirs], name]));
	const hints = new Map([[DecodeHintType.POSSIBLE_FORMATS, [...names.keys()]]]);
	const harder = new Map([...hints, [DecodeHintType.TRY_HARDER, true]]);
	const stripes = new MultiFormatOneDReader(hints);
	const squares = new QRCodeReader();
	const smaller = document.createElement("canvas");
	const attempt = (one, canvas, how) => {
		try {
			const result = one.decode(new BinaryBitmap(new HybridBinarizer(new HTMLCanvasElementLuminanceSource(canvas))), how);
			return usable(names.get(result.getBarcodeFormat()), result.getText());
		} catch {
			return null; // its way to say that there is no such code in the picture
		} finally {
			one.reset();
		}
	};
	return async (canvas, hard) => {
		let code = attempt(stripes, canvas, hard ? harder : hints) ?? attempt(squares, canvas, harder);
		// Where squares fall between pixels it misreads them; in another size it does not.
		for (const scale of [0.8, 0.6]) {
			code ??= attempt(squares, drawn(smaller, canvas, canvas.width, canvas.height, Math.max(canvas.width, canvas.height) * scale), harder);
		}
		return code;
	};
}

// reader is made once; a failure to load is tried again the next time.
let made = null;
function reader() {
	made ??= nativeReader().then((own) => own ?? vendoredReader());
	made.catch(() => (made = null));
	return made;
}

// drawn puts a picture on a canvas, no wider than most.
function drawn(canvas, picture, width, height, most) {
	const scale = Math.min(1, most / Math.max(width, height));
	canvas.width = Math.max(1, Math.round(width * scale));
	canvas.height = Math.max(1, Math.round(height * scale));
	canvas.getContext("2d", { willReadFrequently: true }).drawImage(picture, 0, 0, canvas.width, canvas.height);
	return canvas;
}

// submit asks for the code that was read, and for nothing that was typed
// before but the company.
function submit(code) {
	const field = code.format === "qr_code" ? "qr" : "gtin";
	for (const name of ["marca", "modelo", "numero", "gtin", "qr"]) form.elements[name].disabled = name !== field;
	form.elements[field].value = code.text;
	form.submit();
}

const reading = (code) => words.lido.replace("{codigo}", code.text.slice(0, shown));

// The camera

function stop() {
	session++;
	stream?.getTracks().forEach((track) => track.stop());
	stream = null;
	video.srcObject = null;
	torch.hidden = true;
	torch.setAttribute("aria-pressed", "false");
}

const failures = {
	NotAllowedError: words.recusada, SecurityError: words.recusada,
	NotFoundError: words.nenhuma, OverconstrainedError: words.nenhuma,
	NotReadableError: words.ocupada, AbortError: words.ocupada,
};

async function open() {
	const mine = ++session;
	const late = () => mine !== session;
	photoSaid.textContent = "";
	said.textContent = words.abrindo;
	dialog.showModal();
	dialog.querySelector("h2").focus();
	let read;
	try {
		const opened = await navigator.mediaDevices.getUserMedia({
			audio: false, video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
		});
		if (late()) return opened.getTracks().forEach((track) => track.stop());
		stream = opened;
		video.srcObject = stream;
		await video.play();
		offerTorch(stream.getVideoTracks()[0]);
	} catch (failure) {
		if (!late()) said.textContent = failures[failure.name] ?? words.falha;
		return;
	}
	try {
		read = await reader();
	} catch {
		if (late()) return;
		stop();
		said.textContent = words.semLeitor;
		return;
	}
	if (!late()) await look(read, late);
}

// look reads frame by frame. Stripes count when two frames say the same.
async function look(read, late) {
	const canvas = document.createElement("canvas");
	let before = "";
	said.textContent = words.procurando;
	for (let n = 1; !late(); n++) {
		const picture = video.videoWidth > 0 && drawn(canvas, video, video.videoWidth, video.videoHeight, widest);
		const code = picture && (await read(picture, n % hardEvery === 0).catch(() => null));
		if (late()) return;
		if (code && !isOurs(code)) {
			if (said.textContent !== words.alheio) said.textContent = words.alheio;
		} else if (code && (code.format === "qr_code" || code.text === before)) {
			stop();
			said.textContent = reading(code);
			navigator.vibrate?.(60);
			submit(code);
			return;
		}
		if (code) before = code.text;
		await new Promise((resolve) => setTimeout(resolve, pause));
	}
}

function offerTorch(track) {
	const able = track?.getCapabilities?.() ?? {};
	if (able.focusMode?.includes("continuous")) track.applyConstraints({ advanced: [{ focusMode: "continuous" }] }).catch(() => {});
	torch.hidden = !able.torch;
}

torch.addEventListener("click", async () => {
	const on = torch.getAttribute("aria-pressed") !== "true";
	try {
		await stream.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: on }] });
		torch.setAttribute("aria-pressed", String(on));
	} catch {
		torch.hidden = true;
	}
});

openButton.addEventListener("click", open);
dialog.querySelector("[data-parar]").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
	stop();
	openButton.focus();
});
// A camera does not stay on behind the visitor's back, nor does a page that
// comes back keep fields locked.
document.addEventListener("visibilitychange", () => document.hidden && dialog.open && dialog.close());
window.addEventListener("pagehide", () => {
	stop();
	if (dialog.open) dialog.close();
});
window.addEventListener("pageshow", () => {
	for (const name of ["marca", "modelo", "numero", "gtin"]) form.elements[name].disabled = false;
	form.elements.qr.disabled = true;
	photoSaid.textContent = "";
});

// A photo

photoButton.addEventListener("click", () => file.click());
file.addEventListener("change", async () => {
	const [chosen] = file.files;
	if (!chosen) return;
	file.value = "";
	photoSaid.textContent = words.fotoLendo;
	let picture;
	try {
		picture = await createImageBitmap(chosen);
	} catch {
		photoSaid.textContent = words.fotoFalha;
		return;
	}
	let code = null;
	try {
		const read = await reader();
		const canvas = document.createElement("canvas");
		for (const most of [1000, 1800, 600]) code ??= await read(drawn(canvas, picture, picture.width, picture.height, most), true);
	} catch {
		photoSaid.textContent = words.semLeitor;
		return;
	} finally {
		picture.close();
	}
	if (!code) photoSaid.textContent = words.fotoNada;
	else if (!isOurs(code)) photoSaid.textContent = words.alheio;
	else {
		photoSaid.textContent = reading(code);
		submit(code);
	}
});

// What is empty does not belong in an address that people share.
form.addEventListener("formdata", (event) => {
	for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});

panel.hidden = false;
openButton.hidden = !navigator.mediaDevices?.getUserMedia;
panel.querySelector("[data-sem-tls]").hidden = window.isSecureContext;
