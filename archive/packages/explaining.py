"""The words that lie in every package, for whoever opens it in thirty years."""

README = """\
投诉登记档案 · 长期保存包 (Muniment)

本文件夹是一个 BagIt 包 (RFC 8493)。manifest-sha512.txt 列出 data/ 中每个文件的 SHA-512，可用 bagit.py --validate 核对。
data/<档号>/ 是一份案卷：
  documents/v1、v2…   各版本的 PDF（已解密；metadata.json 的 pdfa 一栏写明符合的 PDF/A 级别，空白即未声明）
  originals/          原始文件，逐字节与收到时相同；原文件名见 metadata.json 的 title
  voucher.json        登记凭证的原始数据；打印件为 documents 中与档号同名的 PDF
  metadata.json       登记信息、文件清单、版本、冻结
  texts/              各文件最新版本的各页文字，每页一项（过长的一页为数组）
  events.json         此案卷的全部台账记录：leaf 为记录原文，detail 与 salt 为详情，
                      proof 为 Merkle 证明，checkpoint 为签名检查点
data/actors.json      经办人编号与姓名
export-proof.json     本次导出的台账记录及其证明；detail.manifest 是 manifest-sha512.txt 的 SHA-512

This folder is a BagIt bag (RFC 8493): manifest-sha512.txt lists the SHA-512 of every file in data/; check it with
bagit.py --validate. Each data/<reference>/ is one case file: decrypted PDFs by version (where the column pdfa of
metadata.json is empty, none is claimed), originals byte for byte as they came in, the voucher's data, metadata, the
text of each page, and every ledger entry about it. To check an entry: SHA-256 over the base64-decoded salt followed
by the detail as canonical JSON (RFC 8785) stands in the leaf as "detail"; SHA-256 over a zero byte and the leaf is
the leaf hash; the proof leads from there to the root in the checkpoint (RFC 9162, 2.1.3); the checkpoint is a signed
note (C2SP tlog-checkpoint) under the Ed25519 key in "key". export-proof.json proves that this archive made this very
package.

Personal data of customers is in here, unencrypted. Keep it as you keep the archive.
内含顾客个人信息且未加密，请妥善保管。
"""
