/* A freeDiameter extension that asks ME-Identity-Checks: the S13 dictionary, strict rules for the answer, and a
 * thread that sends a request for every line of its configuration file and prints what comes back.
 *
 * Line: IMEI, software version or -, IMSI or -. Printed to the file <configuration>.out: status and result
 * (-1: not in the answer), the experimental result code. When all are answered, the daemon is shut down, which
 * disconnects from the peer.
 */
#include <freeDiameter/extension.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VENDOR 10415
#define MV (AVP_FLAG_VENDOR | AVP_FLAG_MANDATORY)

static struct dict_object *ask, *answer, *terminal, *imei, *version, *status, *state, *realm, *user;
static char conf[512];
static FILE *out;
static volatile int waiting;

static struct dict_object *known(const char *name)
{
	struct dict_object *found = NULL;
	fd_dict_search(fd_g_config->cnf_dict, DICT_AVP, AVP_BY_NAME, name, &found, ENOENT);
	return found;
}

static int rule(struct dict_object *parent, struct dict_object *avp, enum rule_position position, int min, int max)
{
	struct dict_rule_data data = { avp, position, position == RULE_FIXED_HEAD ? 1 : 0, min, max };
	return fd_dict_new(fd_g_config->cnf_dict, DICT_RULE, &data, parent, NULL);
}

static int vendor_avp(avp_code_t code, char *name, enum dict_avp_basetype type, struct dict_object **made)
{
	struct dict_avp_data data = { code, VENDOR, name, MV, MV, type };
	return fd_dict_new(fd_g_config->cnf_dict, DICT_AVP, &data, NULL, made);
}

static long number_in(struct avp *avp)
{
	struct avp_hdr *header = NULL;
	if (avp == NULL || fd_msg_avp_hdr(avp, &header) || header->avp_value == NULL)
		return -1;
	return (long)header->avp_value->u32;
}

static void answered(void *data, struct msg **message)
{
	struct avp *found = NULL, *inner = NULL;
	struct msg_hdr *header = NULL;
	long result, experimental = -1, equipment;

	(void)data;
	fd_msg_hdr(*message, &header);
	fd_msg_search_avp(*message, known("Result-Code"), &found);
	result = number_in(found);
	found = NULL;
	fd_msg_search_avp(*message, status, &found);
	equipment = number_in(found);
	found = NULL;
	fd_msg_search_avp(*message, known("Experimental-Result"), &found);
	if (found != NULL) {
		fd_msg_browse(found, MSG_BRW_FIRST_CHILD, &inner, NULL);
		while (inner != NULL) {
			struct avp_hdr *one = NULL;
			fd_msg_avp_hdr(inner, &one);
			if (one->avp_code == 298)
				experimental = number_in(inner);
			fd_msg_browse(inner, MSG_BRW_NEXT, &inner, NULL);
		}
	}
	fprintf(out, "%ld %ld %ld\n", equipment, result, experimental);
	fflush(out);
	fd_msg_free(*message);
	*message = NULL;
	waiting = 0;
}

static void add_text(void *parent, struct dict_object *kind, const char *text)
{
	struct avp *avp;
	union avp_value value;

	memset(&value, 0, sizeof(value));
	value.os.data = (unsigned char *)text;
	value.os.len = strlen(text);
	if (fd_msg_avp_new(kind, 0, &avp) == 0) {
		fd_msg_avp_setvalue(avp, &value);
		fd_msg_avp_add(parent, MSG_BRW_LAST_CHILD, avp);
	}
}

static int send_one(const char *number, const char *software, const char *subscriber)
{
	struct msg *message;
	struct avp *avp;
	union avp_value value;

	if (fd_msg_new(ask, MSGFL_ALLOC_ETEID, &message) || fd_msg_new_session(message, (os0_t) "s13", 3))
		return -1;
	memset(&value, 0, sizeof(value));
	value.u32 = 1;
	fd_msg_avp_new(state, 0, &avp);
	fd_msg_avp_setvalue(avp, &value);
	fd_msg_avp_add(message, MSG_BRW_LAST_CHILD, avp);
	fd_msg_add_origin(message, 0);
	add_text(message, realm, "example.org");
	fd_msg_avp_new(terminal, 0, &avp);
	fd_msg_avp_add(message, MSG_BRW_LAST_CHILD, avp);
	add_text(avp, imei, number);
	if (strcmp(software, "-"))
		add_text(avp, version, software);
	if (strcmp(subscriber, "-"))
		add_text(message, user, subscriber);
	return fd_msg_send(&message, answered, NULL);
}

static void *work(void *data)
{
	char line[256], number[64], software[64], subscriber[64];
	struct peer_hdr *peer = NULL;
	FILE *in = fopen(conf, "r");
	int turn;

	(void)data;
	fd_core_waitstartcomplete();
	for (turn = 0; turn < 300; turn++) {
		fd_peer_getbyid("eir.example.org", 15, 0, &peer);
		if (peer != NULL && fd_peer_get_state(peer) == STATE_OPEN)
			break;
		usleep(100000);
	}
	while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
		if (sscanf(line, "%63s %63s %63s", number, software, subscriber) != 3)
			continue;
		if (!strcmp(number, "sleep")) {
			sleep((unsigned)atoi(software));
			continue;
		}
		waiting = 1;
		if (send_one(number, software, subscriber)) {
			fprintf(out, "not sent\n");
			break;
		}
		for (turn = 0; waiting && turn < 10000; turn++)
			usleep(1000);
	}
	fclose(out);
	fd_core_shutdown();
	return NULL;
}

static int begin(char *path)
{
	struct dictionary *dict = fd_g_config->cnf_dict;
	struct dict_vendor_data vendor_data = { VENDOR, "3GPP" };
	struct dict_application_data application_data = { 16777252, "S13" };
	struct dict_cmd_data command = { 324, "ME-Identity-Check-Request", CMD_FLAG_REQUEST | CMD_FLAG_PROXIABLE,
					 CMD_FLAG_REQUEST | CMD_FLAG_PROXIABLE };
	struct dict_object *vendor, *application;
	pthread_t thread;
	char name[600];

	snprintf(conf, sizeof(conf), "%s", path);
	snprintf(name, sizeof(name), "%s.out", path);
	out = fopen(name, "w");
	CHECK_FCT(fd_dict_new(dict, DICT_VENDOR, &vendor_data, NULL, &vendor));
	CHECK_FCT(fd_dict_new(dict, DICT_APPLICATION, &application_data, vendor, &application));
	CHECK_FCT(fd_dict_new(dict, DICT_COMMAND, &command, application, &ask));
	command.cmd_name = "ME-Identity-Check-Answer";
	command.cmd_flag_val = CMD_FLAG_PROXIABLE;
	CHECK_FCT(fd_dict_new(dict, DICT_COMMAND, &command, application, &answer));
	CHECK_FCT(vendor_avp(1401, "Terminal-Information", AVP_TYPE_GROUPED, &terminal));
	CHECK_FCT(vendor_avp(1402, "IMEI", AVP_TYPE_OCTETSTRING, &imei));
	CHECK_FCT(vendor_avp(1403, "Software-Version", AVP_TYPE_OCTETSTRING, &version));
	CHECK_FCT(vendor_avp(1445, "Equipment-Status", AVP_TYPE_UNSIGNED32, &status));
	state = known("Auth-Session-State");
	realm = known("Destination-Realm");
	user = known("User-Name");
	CHECK_FCT(rule(answer, known("Session-Id"), RULE_FIXED_HEAD, 1, 1));
	CHECK_FCT(rule(answer, known("Vendor-Specific-Application-Id"), RULE_OPTIONAL, 0, 1));
	CHECK_FCT(rule(answer, known("Result-Code"), RULE_OPTIONAL, 0, 1));
	CHECK_FCT(rule(answer, known("Experimental-Result"), RULE_OPTIONAL, 0, 1));
	CHECK_FCT(rule(answer, state, RULE_REQUIRED, 1, 1));
	CHECK_FCT(rule(answer, known("Origin-Host"), RULE_REQUIRED, 1, 1));
	CHECK_FCT(rule(answer, known("Origin-Realm"), RULE_REQUIRED, 1, 1));
	CHECK_FCT(rule(answer, status, RULE_OPTIONAL, 0, 1));
	CHECK_FCT(rule(ask, known("Session-Id"), RULE_FIXED_HEAD, 1, 1));
	CHECK_FCT(fd_disp_app_support(application, vendor, 1, 0));
	return pthread_create(&thread, NULL, work, NULL);
}

EXTENSION_ENTRY("s13_asks", begin);
