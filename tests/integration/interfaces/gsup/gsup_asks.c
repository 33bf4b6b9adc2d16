/* A client on libosmo-gsup-client that asks Check-IMEI.
 *
 *     gsup_asks ADDRESS PORT < QUESTIONS
 *
 * Question: a line with IMSI and IMEI, or - for no IMEI. For each, in order, a line is printed: ack, nack, or error
 * with its cause. Every question waits for the answer to the one before. Exit code 1: no answer within 20 seconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <osmocom/core/application.h>
#include <osmocom/core/logging.h>
#include <osmocom/core/msgb.h>
#include <osmocom/core/select.h>
#include <osmocom/core/talloc.h>
#include <osmocom/core/timer.h>
#include <osmocom/gsm/gsm48_ie.h>
#include <osmocom/gsm/gsup.h>
#include <osmocom/gsm/ipa.h>
#include <osmocom/gsupclient/gsup_client.h>

static struct osmo_gsup_client *client;
static struct osmo_timer_list patience;
static int done;

static void give_up(void *data)
{
	(void)data;
	fprintf(stderr, "no answer\n");
	exit(1);
}

static void ask_next(void)
{
	struct osmo_gsup_message question = { .message_type = OSMO_GSUP_MSGT_CHECK_IMEI_REQUEST };
	uint8_t encoded[12];
	char imsi[32], imei[32];

	if (scanf("%31s %31s", imsi, imei) != 2) {
		done = 1;
		return;
	}
	OSMO_STRLCPY_ARRAY(question.imsi, imsi);
	if (strcmp(imei, "-")) {
		int length = gsm48_encode_bcd_number(encoded, sizeof(encoded), 0, imei);
		if (length < 0)
			exit(2);
		question.imei_enc = encoded;
		question.imei_enc_len = length;
	}
	osmo_timer_schedule(&patience, 20, 0);
	if (osmo_gsup_client_enc_send(client, &question))
		exit(2);
}

static int answered(struct osmo_gsup_client *from, struct msgb *message)
{
	struct osmo_gsup_message answer;

	(void)from;
	if (osmo_gsup_decode(msgb_l2(message), msgb_l2len(message), &answer) < 0)
		printf("cannot be decoded\n");
	else if (answer.message_type == OSMO_GSUP_MSGT_CHECK_IMEI_RESULT)
		printf("%s %s\n", answer.imsi, answer.imei_result == OSMO_GSUP_IMEI_RESULT_ACK ? "ack" : "nack");
	else if (answer.message_type == OSMO_GSUP_MSGT_CHECK_IMEI_ERROR)
		printf("%s error %d\n", answer.imsi, answer.cause);
	else
		printf("message type %d\n", answer.message_type);
	fflush(stdout);
	msgb_free(message);
	ask_next();
	return 0;
}

static bool up_or_down(struct osmo_gsup_client *from, bool up)
{
	(void)from;
	static bool begun;

	if (up && !begun) {
		begun = true;
		ask_next();
	}
	return true;
}

int main(int count, char **words)
{
	void *context = talloc_named_const(NULL, 0, "gsup_asks");
	static const struct log_info no_categories = {};
	struct ipaccess_unit *unit = talloc_zero(context, struct ipaccess_unit);
	struct osmo_gsup_client_config config = {
		.ipa_dev = unit,
		.read_cb = answered,
		.up_down_cb = up_or_down,
	};

	if (count != 3)
		return 2;
	osmo_init_logging2(context, &no_categories);
	unit->unit_name = "MSC";
	unit->serno = "MSC-00-00-00-00-00-00";
	unit->swversion = "test";
	config.ip_addr = words[1];
	config.tcp_port = (unsigned int)atoi(words[2]);
	osmo_timer_setup(&patience, give_up, NULL);
	osmo_timer_schedule(&patience, 20, 0);
	client = osmo_gsup_client_create3(context, &config);
	if (client == NULL)
		return 2;
	while (!done)
		osmo_select_main(0);
	osmo_gsup_client_destroy(client);
	talloc_free(context);
	return 0;
}
