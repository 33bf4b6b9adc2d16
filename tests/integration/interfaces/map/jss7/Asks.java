import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Proxy;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import org.apache.log4j.ConsoleAppender;
import org.apache.log4j.Level;
import org.apache.log4j.Logger;
import org.apache.log4j.SimpleLayout;
import org.mobicents.protocols.api.IpChannelType;
import org.mobicents.protocols.sctp.ManagementImpl;
import org.mobicents.protocols.ss7.indicator.NatureOfAddress;
import org.mobicents.protocols.ss7.indicator.NumberingPlan;
import org.mobicents.protocols.ss7.indicator.RoutingIndicator;
import org.mobicents.protocols.ss7.m3ua.As;
import org.mobicents.protocols.ss7.m3ua.ExchangeType;
import org.mobicents.protocols.ss7.m3ua.Functionality;
import org.mobicents.protocols.ss7.m3ua.IPSPType;
import org.mobicents.protocols.ss7.m3ua.impl.M3UAManagementImpl;
import org.mobicents.protocols.ss7.m3ua.impl.parameter.ParameterFactoryImpl;
import org.mobicents.protocols.ss7.m3ua.parameter.TrafficModeType;
import org.mobicents.protocols.ss7.map.MAPStackImpl;
import org.mobicents.protocols.ss7.map.api.MAPApplicationContext;
import org.mobicents.protocols.ss7.map.api.MAPApplicationContextName;
import org.mobicents.protocols.ss7.map.api.MAPApplicationContextVersion;
import org.mobicents.protocols.ss7.map.api.MAPDialogListener;
import org.mobicents.protocols.ss7.map.api.MAPParameterFactory;
import org.mobicents.protocols.ss7.map.api.MAPProvider;
import org.mobicents.protocols.ss7.map.api.errors.MAPErrorMessage;
import org.mobicents.protocols.ss7.map.api.primitives.AddressNature;
import org.mobicents.protocols.ss7.map.api.primitives.AddressString;
import org.mobicents.protocols.ss7.map.api.primitives.IMEI;
import org.mobicents.protocols.ss7.map.api.service.mobility.MAPDialogMobility;
import org.mobicents.protocols.ss7.map.api.service.mobility.MAPServiceMobilityListener;
import org.mobicents.protocols.ss7.map.api.service.mobility.imei.CheckImeiResponse;
import org.mobicents.protocols.ss7.map.api.service.mobility.imei.RequestedEquipmentInfo;
import org.mobicents.protocols.ss7.sccp.OriginationType;
import org.mobicents.protocols.ss7.sccp.Router;
import org.mobicents.protocols.ss7.sccp.RuleType;
import org.mobicents.protocols.ss7.sccp.SccpResource;
import org.mobicents.protocols.ss7.sccp.impl.SccpStackImpl;
import org.mobicents.protocols.ss7.sccp.impl.parameter.BCDEvenEncodingScheme;
import org.mobicents.protocols.ss7.sccp.impl.parameter.GlobalTitle0100Impl;
import org.mobicents.protocols.ss7.sccp.impl.parameter.SccpAddressImpl;
import org.mobicents.protocols.ss7.sccp.parameter.GlobalTitle;
import org.mobicents.protocols.ss7.sccp.parameter.SccpAddress;

/**
 * Asks CheckIMEI with jSS7 as an IPSP, over M3UA on TCP.
 *
 * Arguments: folder for its files, port of the EIR, "subsystem" or "title" (what messages are routed by), routing
 * context, own point code, the EIR's.
 * Input: a line for each question, with version, IMEI, and how the IMSI is told and which: "- -", "appended IMSI" or
 * "reference IMSI". Output: a line for each, in order, with every event of the dialogue.
 */
public final class Asks {
    private static final RoutingIndicator BY_SUBSYSTEM = RoutingIndicator.ROUTING_BASED_ON_DPC_AND_SSN;
    private static final RoutingIndicator BY_TITLE = RoutingIndicator.ROUTING_BASED_ON_GLOBAL_TITLE;
    private static final int MSC = 8;
    private static final int EIR = 9;
    private static final int SCCP = 3;
    private static final int NATIONAL = 2;
    private static final String MSC_TITLE = "2298765432";
    private static final String EIR_TITLE = "2212345678";
    private static final long PATIENCE = 20;

    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();

    public static void main(String[] words) throws Exception {
        Logger.getRootLogger().addAppender(new ConsoleAppender(new SimpleLayout(), ConsoleAppender.SYSTEM_ERR));
        Logger.getRootLogger().setLevel(Level.WARN);
        int code = 1;
        try {
            new Asks().run(words[0], Integer.parseInt(words[1]), words[2], Long.parseLong(words[3]),
                    Integer.parseInt(words[4]), Integer.parseInt(words[5]));
            code = 0;
        } catch (Exception problem) {
            problem.printStackTrace();
        }
        // The stacks keep threads that nobody waits for.
        System.exit(code);
    }

    private void run(String folder, int port, String routing, long context, int own, int eir) throws Exception {
        ManagementImpl transport = new ManagementImpl("transport");
        transport.setPersistDir(folder);
        transport.setSingleThread(true);
        transport.start();
        transport.setConnectDelay(500);
        transport.removeAllResourses();
        transport.addAssociation("127.0.0.1", 0, "127.0.0.1", port, "eir", IpChannelType.TCP, null);

        M3UAManagementImpl m3ua = new M3UAManagementImpl("m3ua", "jSS7");
        m3ua.setPersistDir(folder);
        m3ua.setTransportManagement(transport);
        m3ua.start();
        m3ua.removeAllResourses();
        ParameterFactoryImpl parameters = new ParameterFactoryImpl();
        As as = m3ua.createAs("as", Functionality.IPSP, ExchangeType.SE, IPSPType.CLIENT,
                parameters.createRoutingContext(new long[] {context}),
                parameters.createTrafficModeType(TrafficModeType.Loadshare), 1, null);
        m3ua.createAspFactory("asp", "eir");
        m3ua.assignAspToAs("as", "asp");
        m3ua.addRoute(eir, own, SCCP, "as");
        m3ua.startAsp("asp");

        SccpStackImpl sccp = new SccpStackImpl("sccp");
        sccp.setPersistDir(folder);
        sccp.setMtp3UserPart(1, m3ua);
        sccp.start();
        sccp.removeAllResourses();
        sccp.getRouter().addMtp3ServiceAccessPoint(1, 1, own, NATIONAL, 0);
        sccp.getRouter().addMtp3Destination(1, 1, eir, eir, 0, 255, 255);
        SccpResource resource = sccp.getSccpResource();
        resource.addRemoteSpc(1, eir, 0, 0);
        resource.addRemoteSsn(1, eir, EIR, 0, false);
        boolean titled = routing.equals("title");
        if (titled) {
            // Questions keep their title on the way out; answers to ours end here.
            Router router = sccp.getRouter();
            router.addRoutingAddress(1, new SccpAddressImpl(BY_TITLE, title("-"), eir, EIR));
            router.addRoutingAddress(2, new SccpAddressImpl(BY_SUBSYSTEM, title("-"), own, MSC));
            router.addRule(1, RuleType.SOLITARY, null, OriginationType.LOCAL, titled(EIR_TITLE, EIR), "K", 1, -1,
                    null, 0, null);
            router.addRule(2, RuleType.SOLITARY, null, OriginationType.REMOTE, titled(MSC_TITLE, MSC), "K", 2, -1,
                    null, 0, null);
        }

        MAPStackImpl map = new MAPStackImpl("map", sccp.getSccpProvider(), MSC);
        map.start();
        MAPProvider provider = map.getMAPProvider();
        listen(provider);

        for (long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE); !as.isUp();) {
            if (System.nanoTime() > until) {
                throw new IllegalStateException("no association");
            }
            Thread.sleep(20);
        }
        SccpAddress here = titled ? titled(MSC_TITLE, MSC) : address(own, MSC);
        SccpAddress there = titled ? titled(EIR_TITLE, EIR) : address(eir, EIR);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ask(provider, here, there, line.split(" "));
            System.out.println(outcome());
        }
        m3ua.stopAsp("asp");
        Thread.sleep(500);
    }

    private static SccpAddress address(int pointCode, int subsystem) {
        return new SccpAddressImpl(BY_SUBSYSTEM, null, pointCode, subsystem);
    }

    private static SccpAddress titled(String digits, int subsystem) {
        return new SccpAddressImpl(BY_TITLE, title(digits), 0, subsystem);
    }

    private static GlobalTitle title(String digits) {
        return new GlobalTitle0100Impl(digits, 0, BCDEvenEncodingScheme.INSTANCE, NumberingPlan.ISDN_TELEPHONY,
                NatureOfAddress.INTERNATIONAL);
    }

    private void ask(MAPProvider provider, SccpAddress here, SccpAddress there, String[] words) throws Exception {
        MAPParameterFactory make = provider.getMAPParameterFactory();
        int version = Integer.parseInt(words[0]);
        AddressString reference = words[2].equals("reference")
                ? make.createAddressString(AddressNature.international_number,
                        org.mobicents.protocols.ss7.map.api.primitives.NumberingPlan.land_mobile, words[3])
                : null;
        MAPDialogMobility dialog = provider.getMAPServiceMobility().createNewDialog(
                MAPApplicationContext.getInstance(MAPApplicationContextName.equipmentMngtContext,
                        MAPApplicationContextVersion.getInstance(version)),
                here, null, there, reference);
        IMEI imei = make.createIMEI(words[1]);
        RequestedEquipmentInfo wanted = version == 3 ? make.createRequestedEquipmentInfo(true, false) : null;
        if (words[2].equals("appended")) {
            dialog.addCheckImeiRequest_Huawei(imei, wanted, null, make.createIMSI(words[3]));
        } else {
            dialog.addCheckImeiRequest(imei, wanted, null);
        }
        dialog.send();
    }

    /** All that happened until the dialogue was released. */
    private String outcome() throws InterruptedException {
        StringBuilder told = new StringBuilder();
        while (true) {
            String event = events.poll(PATIENCE, TimeUnit.SECONDS);
            if (event == null) {
                return told + "silence";
            }
            if (event.equals("release")) {
                return told.toString().trim();
            }
            told.append(event).append(' ');
        }
    }

    private void listen(MAPProvider provider) {
        ClassLoader loader = Asks.class.getClassLoader();
        provider.addMAPDialogListener((MAPDialogListener) Proxy.newProxyInstance(loader,
                new Class<?>[] {MAPDialogListener.class}, (self, method, given) -> {
                    switch (method.getName()) {
                        case "onDialogAccept": events.add("accept"); break;
                        case "onDialogClose": events.add("close"); break;
                        case "onDialogRelease": events.add("release"); break;
                        case "onDialogReject": events.add("refused:" + given[1] + ":" + given[2]); break;
                        case "onDialogUserAbort": events.add("user-abort"); break;
                        case "onDialogProviderAbort": events.add("provider-abort:" + given[1]); break;
                        case "onDialogNotice": events.add("notice:" + given[1]); break;
                        case "onDialogTimeout": events.add("timeout"); break;
                        default: return plain(self, method.getName(), given);
                    }
                    return null;
                }));
        provider.getMAPServiceMobility().addMAPServiceListener((MAPServiceMobilityListener) Proxy.newProxyInstance(
                loader, new Class<?>[] {MAPServiceMobilityListener.class}, (self, method, given) -> {
                    switch (method.getName()) {
                        case "onCheckImeiResponse":
                            CheckImeiResponse answer = (CheckImeiResponse) given[0];
                            events.add("status:" + answer.getEquipmentStatus()
                                    + (answer.getBmuef() == null ? "" : ":bmuef"));
                            break;
                        case "onErrorComponent":
                            events.add("error:" + ((MAPErrorMessage) given[2]).getErrorCode());
                            break;
                        case "onRejectComponent": events.add("reject:" + given[2]); break;
                        case "onInvokeTimeout": events.add("invoke-timeout"); break;
                        default: return plain(self, method.getName(), given);
                    }
                    return null;
                }));
        provider.getMAPServiceMobility().acivate();
    }

    /** What a listener does in lists and maps, and nothing for all other events. */
    private static Object plain(Object self, String method, Object[] given) {
        switch (method) {
            case "equals": return self == given[0];
            case "hashCode": return System.identityHashCode(self);
            case "toString": return "listener";
            default: return null;
        }
    }
}
